// Layers in float64 from their definitions alone, a batch at a time: plain loops over indices, edges by looking where
// they are. Shapes are worked out here again.
import { philox4x32, randomStream } from "../../random/index.ts";
import type { LayerSpec } from "../index.ts";

/** Parameters by name, row-major, as in the network's layout. */
export type ReferenceParameters = ReadonlyMap<string, Float64Array>;

/** Examples of one shape, each flat. */
export interface ReferenceBatch {
  readonly shape: readonly number[];
  readonly rows: readonly (readonly number[])[];
}

/** A step of training: what dropout draws from, if anything. Evaluation has none. */
export interface ReferenceStep {
  readonly number: number;
  readonly seed: number;
  readonly path: readonly (string | number)[];
}

export function referenceSequence(
  layers: readonly LayerSpec[],
  label: string,
  batch: ReferenceBatch,
  parameters: ReferenceParameters,
  step: ReferenceStep | undefined,
): ReferenceBatch {
  const digits = String(layers.length - 1).length;
  return layers.reduce((value, layer, index) => referenceLayer(layer, label + String(index).padStart(digits, "0"), value, parameters, step), batch);
}

function referenceLayer(
  layer: LayerSpec,
  name: string,
  { shape, rows }: ReferenceBatch,
  parameters: ReferenceParameters,
  step: ReferenceStep | undefined,
): ReferenceBatch {
  const parameter = (own: string) => parameters.get(`${name}.${own}`)!;
  const length = shape.reduce((product, size) => product * size, 1);
  const channels = shape[0]!;
  const spatial = length / channels;
  const each = (map: (row: readonly number[], index: number) => number[], to: readonly number[] = shape) => ({ shape: to, rows: rows.map(map) });

  switch (layer.kind) {
    case "relu":
      return each((row) => row.map((x) => Math.max(x, 0)));
    case "tanh":
      return each((row) => row.map((x) => Math.tanh(x)));
    case "sigmoid":
      return each((row) => row.map((x) => 1 / (1 + Math.exp(-x))));
    case "flatten":
      return { shape: [length], rows };
    case "dense": {
      const [weight, bias] = [parameter("weight"), parameter("bias")];
      return each(
        (row) => Array.from(bias, (start, unit) => row.reduce((sum, x, k) => sum + x * weight[k * bias.length + unit]!, start)),
        [bias.length],
      );
    }
    case "conv2d": {
      const { size, stride = 1, padding = 0 } = layer;
      const [weight, bias] = [parameter("weight"), parameter("bias")];
      const [height, width] = pair(size);
      return windows(shape, rows, { size, stride, padding }, layer.channels, (at, out) => {
        let sum = bias[out]!;
        for (let c = 0; c < channels; c += 1) {
          for (let y = 0; y < height; y += 1) {
            for (let x = 0; x < width; x += 1) sum += weight[((out * channels + c) * height + y) * width + x]! * (at(c, y, x) ?? 0);
          }
        }
        return sum;
      });
    }
    case "depthwise-conv2d": {
      const { size, stride = 1, padding = 0 } = layer;
      const [weight, bias] = [parameter("weight"), parameter("bias")];
      const [height, width] = pair(size);
      return windows(shape, rows, { size, stride, padding }, channels, (at, c) => {
        let sum = bias[c]!;
        for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) sum += weight[(c * height + y) * width + x]! * (at(c, y, x) ?? 0);
        return sum;
      });
    }
    case "max-pool":
    case "average-pool": {
      const { size, stride = size, padding = 0 } = layer;
      const [height, width] = pair(size);
      return windows(shape, rows, { size, stride, padding }, channels, (at, c) => {
        const seen = Array.from({ length: height * width }, (_, i) => at(c, Math.floor(i / width), i % width)).filter((x) => x !== undefined);
        return layer.kind === "max-pool" ? Math.max(...seen) : seen.reduce((sum, x) => sum + x, 0) / seen.length;
      });
    }
    case "global-average-pool":
      return each((row) => Array.from({ length: channels }, (_, c) => mean(row.slice(c * spatial, (c + 1) * spatial))), [channels]);
    case "group-norm": {
      const perGroup = channels / layer.groups;
      return each((row) => {
        const moments = Array.from({ length: layer.groups }, (_, g) => momentsOf(row.slice(g * perGroup * spatial, (g + 1) * perGroup * spatial)));
        return row.map((x, i) => {
          const c = Math.floor(i / spatial);
          const { middle, variance } = moments[Math.floor(c / perGroup)]!;
          return ((x - middle) / Math.sqrt(variance + (layer.epsilon ?? 1e-5))) * parameter("weight")[c]! + parameter("bias")[c]!;
        });
      });
    }
    case "batch-norm": {
      const moments = Array.from({ length: channels }, (_, c) =>
        step === undefined
          ? { middle: parameter("runningMean")[c]!, variance: parameter("runningVariance")[c]! }
          : momentsOf(rows.flatMap((row) => row.slice(c * spatial, (c + 1) * spatial))),
      );
      return each((row) =>
        row.map((x, i) => {
          const c = Math.floor(i / spatial);
          const { middle, variance } = moments[c]!;
          return ((x - middle) / Math.sqrt(variance + (layer.epsilon ?? 1e-5))) * parameter("weight")[c]! + parameter("bias")[c]!;
        }),
      );
    }
    case "residual": {
      const body = referenceSequence(layer.layers, `${name}.layer`, { shape, rows }, parameters, step);
      const beside = referenceSequence(layer.shortcut ?? [], `${name}.shortcut`, { shape, rows }, parameters, step);
      return { shape: body.shape, rows: body.rows.map((row, example) => row.map((x, i) => x + beside.rows[example]![i]!)) };
    }
    case "dropout": {
      if (step === undefined) return { shape, rows };
      const words = randomStream(step.seed, ...step.path, step.number, name);
      const key = Uint32Array.from([words.uint32(), words.uint32()]);
      const [c2, c3] = [words.uint32(), words.uint32()];
      const block = new Uint32Array(4);
      return each((row, example) =>
        row.map((x, i) => {
          const index = example * length + i;
          philox4x32(key, Uint32Array.from([Math.floor(index / 4), 0, c2, c3]), block);
          return block[index % 4]! / 2 ** 32 < layer.rate ? 0 : x / (1 - layer.rate);
        }),
      );
    }
    case "embedding": {
      const { dimensions } = layer;
      const table = parameter("weight");
      return each(
        (row) => Array.from({ length: dimensions * length }, (_, i) => table[row[i % length]! * dimensions + Math.floor(i / length)]!),
        [dimensions, length],
      );
    }
  }
}

type Pair = number | readonly [number, number];

function pair(value: Pair): readonly [number, number] {
  return typeof value === "number" ? [value, value] : value;
}

/** A value for each output channel and window; `at` gives the pixel of a window, or undefined around the image. */
function windows(
  [channels, height, width]: readonly number[],
  rows: readonly (readonly number[])[],
  { size, stride, padding }: { readonly size: Pair; readonly stride: Pair; readonly padding: Pair },
  outputs: number,
  value: (at: (channel: number, y: number, x: number) => number | undefined, output: number) => number,
): ReferenceBatch {
  const [kernelHeight, kernelWidth] = pair(size);
  const [strideY, strideX] = pair(stride);
  const [top, left] = pair(padding);
  const positions = (side: number, kernel: number, step: number, around: number) => Math.floor((side + 2 * around - kernel) / step) + 1;
  const shape = [outputs, positions(height!, kernelHeight, strideY, top), positions(width!, kernelWidth, strideX, left)] as const;
  return {
    shape,
    rows: rows.map((row) =>
      Array.from({ length: shape[0] * shape[1] * shape[2] }, (_, index) => {
        const output = Math.floor(index / (shape[1] * shape[2]));
        const startY = (Math.floor(index / shape[2]) % shape[1]) * strideY - top;
        const startX = (index % shape[2]) * strideX - left;
        const at = (c: number, y: number, x: number) => {
          const [imageY, imageX] = [startY + y, startX + x];
          const isInside = c < channels! && imageY >= 0 && imageY < height! && imageX >= 0 && imageX < width!;
          return isInside ? row[(c * height! + imageY) * width! + imageX] : undefined;
        };
        return value(at, output);
      }),
    ),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}

function momentsOf(values: readonly number[]): { readonly middle: number; readonly variance: number } {
  const middle = mean(values);
  return { middle, variance: mean(values.map((x) => (x - middle) ** 2)) };
}
