// McMahan's CNN in plain loops over typed arrays, as one would first write them: a nest of loops for each layer.

/** Convolution with a window of 5 × 5 and two zeros around, ReLU, and 2 × 2 max pooling. */
interface Stage {
  readonly inputs: number;
  readonly outputs: number;
  /** Side of the image, before pooling. */
  readonly side: number;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  readonly weightGradient: Float32Array;
  readonly biasGradient: Float32Array;
  /** After ReLU. */
  readonly activations: Float32Array;
  readonly pooled: Float32Array;
  /** Index of each pooled number's source. */
  readonly chosen: Uint32Array;
}

interface Dense {
  readonly inputs: number;
  readonly outputs: number;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  readonly weightGradient: Float32Array;
  readonly biasGradient: Float32Array;
  readonly values: Float32Array;
}

const CLASSES = 10;
const HIDDEN = 512;
const WINDOW = 5;
const AROUND = 2;

/** Works on the parameters it is given, by the names of the network's layout. `step` learns one batch and returns the sum of its losses. */
export function createPlainCnn(
  parameters: ReadonlyMap<string, Float32Array>,
  learningRate: number,
): { step(images: Float32Array, classes: Uint8Array): number } {
  const gradients = new Map([...parameters].map(([name, values]) => [name, new Float32Array(values.length)]));
  const of = (layer: string) => ({
    weight: parameters.get(`${layer}.weight`)!,
    bias: parameters.get(`${layer}.bias`)!,
    weightGradient: gradients.get(`${layer}.weight`)!,
    biasGradient: gradients.get(`${layer}.bias`)!,
  });
  const stage = (layer: string, inputs: number, outputs: number, side: number): Stage => ({
    ...{ inputs, outputs, side, ...of(layer) },
    activations: new Float32Array(outputs * side * side),
    pooled: new Float32Array((outputs * side * side) / 4),
    chosen: new Uint32Array((outputs * side * side) / 4),
  });
  const dense = (layer: string, inputs: number, outputs: number): Dense => ({ inputs, outputs, ...of(layer), values: new Float32Array(outputs) });
  const first = stage("layer0", 1, 32, 28);
  const second = stage("layer3", 32, 64, 14);
  const hidden = dense("layer7", 64 * 7 * 7, HIDDEN);
  const last = dense("layer9", HIDDEN, CLASSES);

  function learn(image: Float32Array, target: number, share: number): number {
    convolve(first, image);
    convolve(second, first.pooled);
    multiply(hidden, second.pooled);
    for (let i = 0; i < HIDDEN; i += 1) if (hidden.values[i]! < 0) hidden.values[i] = 0;
    multiply(last, hidden.values);

    const most = Math.max(...last.values);
    const total = last.values.reduce((sum, value) => sum + Math.exp(value - most), 0);
    const loss = Math.log(total) - (last.values[target]! - most);
    const gradient = last.values.map((value, j) => (Math.exp(value - most) / total - (j === target ? 1 : 0)) * share);
    const hiddenGradient = multiplyBack(last, hidden.values, gradient);
    for (let i = 0; i < HIDDEN; i += 1) if (hidden.values[i] === 0) hiddenGradient[i] = 0;
    const pooledGradient = multiplyBack(hidden, second.pooled, hiddenGradient);
    convolveBack(first, image, convolveBack(second, first.pooled, pooledGradient, true), false);
    return loss;
  }

  return {
    step(images, classes) {
      for (const values of gradients.values()) values.fill(0);
      let loss = 0;
      for (const [row, target] of classes.entries()) loss += learn(images.subarray(row * 784, (row + 1) * 784), target, 1 / classes.length);
      for (const [name, values] of parameters) {
        const gradient = gradients.get(name)!;
        for (let i = 0; i < values.length; i += 1) values[i]! -= learningRate * gradient[i]!;
      }
      return loss;
    },
  };
}

function convolve({ inputs, outputs, side, weight, bias, activations, pooled, chosen }: Stage, from: Float32Array): void {
  for (let out = 0; out < outputs; out += 1) {
    for (let y = 0; y < side; y += 1) {
      for (let x = 0; x < side; x += 1) {
        let sum = bias[out]!;
        for (let c = 0; c < inputs; c += 1) {
          for (let ky = 0; ky < WINDOW; ky += 1) {
            const row = y + ky - AROUND;
            if (row < 0 || row >= side) continue;
            for (let kx = 0; kx < WINDOW; kx += 1) {
              const column = x + kx - AROUND;
              if (column < 0 || column >= side) continue;
              sum += weight[((out * inputs + c) * WINDOW + ky) * WINDOW + kx]! * from[(c * side + row) * side + column]!;
            }
          }
        }
        activations[(out * side + y) * side + x] = sum > 0 ? sum : 0;
      }
    }
  }
  const half = side / 2;
  for (let at = 0; at < pooled.length; at += 1) {
    const [plane, y, x] = [Math.floor(at / (half * half)), Math.floor(at / half) % half, at % half];
    let best = (plane * side + y * 2) * side + x * 2;
    for (const next of [best + 1, best + side, best + side + 1]) if (activations[next]! > activations[best]!) best = next;
    pooled[at] = activations[best]!;
    chosen[at] = best;
  }
}

/** Adds the gradients of a stage's parameters; returns the gradient of what it was made from. */
function convolveBack(
  { inputs, outputs, side, weight, weightGradient, biasGradient, activations, chosen }: Stage,
  from: Float32Array,
  pooledGradient: Float32Array,
  withInput: boolean,
): Float32Array {
  const gradient = new Float32Array(activations.length);
  for (const [at, source] of chosen.entries()) if (activations[source]! > 0) gradient[source] = pooledGradient[at]!;
  const inputGradient = new Float32Array(from.length);
  for (let out = 0; out < outputs; out += 1) {
    for (let y = 0; y < side; y += 1) {
      for (let x = 0; x < side; x += 1) {
        const own = gradient[(out * side + y) * side + x]!;
        biasGradient[out]! += own;
        for (let c = 0; c < inputs; c += 1) {
          for (let ky = 0; ky < WINDOW; ky += 1) {
            const row = y + ky - AROUND;
            if (row < 0 || row >= side) continue;
            for (let kx = 0; kx < WINDOW; kx += 1) {
              const column = x + kx - AROUND;
              if (column < 0 || column >= side) continue;
              const w = ((out * inputs + c) * WINDOW + ky) * WINDOW + kx;
              const pixel = (c * side + row) * side + column;
              weightGradient[w]! += own * from[pixel]!;
              if (withInput) inputGradient[pixel]! += own * weight[w]!;
            }
          }
        }
      }
    }
  }
  return inputGradient;
}

function multiply({ inputs, outputs, weight, bias, values }: Dense, from: Float32Array): void {
  values.set(bias);
  for (let k = 0; k < inputs; k += 1) for (let j = 0; j < outputs; j += 1) values[j]! += from[k]! * weight[k * outputs + j]!;
}

function multiplyBack(
  { inputs, outputs, weight, weightGradient, biasGradient }: Dense,
  from: Float32Array,
  gradient: Float32Array,
): Float32Array<ArrayBuffer> {
  const inputGradient = new Float32Array(inputs);
  for (let j = 0; j < outputs; j += 1) biasGradient[j]! += gradient[j]!;
  for (let k = 0; k < inputs; k += 1) {
    let sum = 0;
    for (let j = 0; j < outputs; j += 1) {
      weightGradient[k * outputs + j]! += from[k]! * gradient[j]!;
      sum += gradient[j]! * weight[k * outputs + j]!;
    }
    inputGradient[k] = sum;
  }
  return inputGradient;
}
