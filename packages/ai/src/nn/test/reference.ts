// A float64 network written from the formulas alone: forward and loss. Gradients come from central differences of it,
// so that nothing of the engine's own backward passes is repeated here.
import type { NetworkSpec } from "../index.ts";

/** Parameters by name, row-major, as in the network's layout. */
export type ReferenceParameters = ReadonlyMap<string, Float64Array>;

function activate(kind: string, x: number): number {
  if (kind === "relu") return Math.max(x, 0);
  if (kind === "tanh") return Math.tanh(x);
  if (kind === "sigmoid") return 1 / (1 + Math.exp(-x));
  throw new Error(`The reference has no ${kind}.`);
}

/** Outputs of one example. */
export function referenceOutputs(spec: NetworkSpec, parameters: ReferenceParameters, features: readonly number[]): number[] {
  let values = [...features];
  for (const [index, layer] of spec.layers.entries()) {
    if (layer.kind === "dense") {
      const weight = parameters.get(`layer${index}.weight`)!;
      const bias = parameters.get(`layer${index}.bias`)!;
      const inputs = values;
      values = Array.from(bias, (start, unit) => inputs.reduce((sum, x, k) => sum + x * weight[k * bias.length + unit]!, start));
    } else values = values.map((x) => activate(layer.kind, x));
  }
  return values;
}

/** Loss of one example; `target` is a class or a list of values. */
export function referenceLoss(spec: NetworkSpec, outputs: readonly number[], target: readonly number[]): number {
  if (spec.loss === "softmax-cross-entropy") {
    return Math.log(outputs.reduce((sum, z) => sum + Math.exp(z), 0)) - outputs[target[0]!]!;
  }
  const losses = outputs.map((z, j) => {
    const t = target[j]!;
    if (spec.loss === "mse") return (z - t) ** 2;
    const p = 1 / (1 + Math.exp(-z));
    return -t * Math.log(p) - (1 - t) * Math.log(1 - p);
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

/** Mean loss of examples. */
export function referenceMeanLoss(
  spec: NetworkSpec,
  parameters: ReferenceParameters,
  features: readonly (readonly number[])[],
  targets: readonly (readonly number[])[],
): number {
  const losses = features.map((row, i) => referenceLoss(spec, referenceOutputs(spec, parameters, row), targets[i]!));
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

/** Gradient of the mean loss by central differences, flat in the order of the map. */
export function referenceGradient(
  spec: NetworkSpec,
  parameters: ReferenceParameters,
  features: readonly (readonly number[])[],
  targets: readonly (readonly number[])[],
): number[] {
  const step = 1e-5;
  const gradient: number[] = [];
  for (const values of parameters.values()) {
    for (const [i, value] of values.entries()) {
      values[i] = value + step;
      const above = referenceMeanLoss(spec, parameters, features, targets);
      values[i] = value - step;
      const below = referenceMeanLoss(spec, parameters, features, targets);
      values[i] = value;
      gradient.push((above - below) / (2 * step));
    }
  }
  return gradient;
}
