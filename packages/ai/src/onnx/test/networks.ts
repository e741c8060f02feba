import type { DatasetSchema } from "../../data/index.ts";
import { initialParameters, type LayerSpec, networkLayout, type NetworkSpec } from "../../nn/index.ts";
import { randomStream } from "../../random/index.ts";

const IMAGE = { inputLength: 2 * 6 * 7, inputShape: [2, 6, 7] } as const;
const CLASSES = "softmax-cross-entropy";
const dense = (units: number) => ({ kind: "dense", units }) as const;
const conv = (channels: number) => ({ kind: "conv2d", channels, size: 3, padding: 1 }) as const;

/** Each kind of layer, as it may stand. */
export const LAYERS: readonly (readonly [string, NetworkSpec])[] = [
  ["dense on a vector", { inputLength: 5, layers: [dense(4)], loss: "mse" }],
  ["dense on an image", { ...IMAGE, layers: [dense(3)], loss: CLASSES }],
  ["relu", { inputLength: 6, layers: [{ kind: "relu" }], loss: "mse" }],
  ["tanh", { inputLength: 6, layers: [{ kind: "tanh" }], loss: "mse" }],
  ["sigmoid", { inputLength: 6, layers: [{ kind: "sigmoid" }], loss: "mse" }],
  ["flatten", { ...IMAGE, layers: [{ kind: "flatten" }], loss: "mse" }],
  ["conv2d", { ...IMAGE, layers: [{ kind: "conv2d", channels: 3, size: 3 }], loss: "mse" }],
  [
    "conv2d with sides, strides and padding that differ",
    { ...IMAGE, layers: [{ kind: "conv2d", channels: 4, size: [5, 2], stride: [2, 3], padding: [2, 1] }], loss: "bce" },
  ],
  [
    "depthwise-conv2d",
    {
      ...IMAGE,
      layers: [
        { kind: "depthwise-conv2d", size: [3, 2], stride: [1, 2], padding: [1, 0] },
        { kind: "depthwise-conv2d", size: 3 },
      ],
      loss: "mse",
    },
  ],
  ["max-pool", { ...IMAGE, layers: [{ kind: "max-pool", size: 2 }], loss: "mse" }],
  ["max-pool over the edge", { ...IMAGE, layers: [{ kind: "max-pool", size: [3, 2], stride: [2, 1], padding: 1 }], loss: "mse" }],
  ["average-pool", { ...IMAGE, layers: [{ kind: "average-pool", size: [3, 2] }], loss: "mse" }],
  ["average-pool over the edge", { ...IMAGE, layers: [{ kind: "average-pool", size: [3, 2], stride: [2, 1], padding: 1 }], loss: "mse" }],
  ["global-average-pool", { ...IMAGE, layers: [{ kind: "global-average-pool" }], loss: "mse" }],
  ["group-norm of an image", { ...IMAGE, layers: [conv(6), { kind: "group-norm", groups: 3 }], loss: "mse" }],
  ["group-norm of a vector", { inputLength: 8, layers: [{ kind: "group-norm", groups: 2, epsilon: 1e-3 }], loss: "mse" }],
  ["group-norm by channel", { ...IMAGE, layers: [{ kind: "group-norm", groups: 2 }], loss: "mse" }],
  ["batch-norm of an image", { ...IMAGE, layers: [{ kind: "batch-norm" }], loss: "mse" }],
  ["batch-norm of a vector", { inputLength: 8, layers: [{ kind: "batch-norm", epsilon: 1e-2 }], loss: "mse" }],
  ["residual", { ...IMAGE, layers: [{ kind: "residual", layers: [conv(2), { kind: "relu" }] }], loss: "mse" }],
  [
    "residual with a shortcut, inside each other",
    {
      ...IMAGE,
      layers: [
        {
          kind: "residual",
          layers: [
            { ...conv(3), stride: 2 },
            { kind: "residual", layers: [{ kind: "tanh" }, conv(3)] },
          ],
          shortcut: [
            { kind: "conv2d", channels: 3, size: 1, stride: 2 },
            { kind: "group-norm", groups: 3 },
          ],
        },
      ],
      loss: "mse",
    },
  ],
  ["dropout", { inputLength: 6, layers: [{ kind: "dropout", rate: 0.5 }], loss: "bce" }],
  ["dropout in a residual block", { inputLength: 6, layers: [{ kind: "residual", layers: [{ kind: "dropout", rate: 0.5 }] }], loss: "mse" }],
  [
    "embedding",
    { inputLength: 7, layers: [{ kind: "embedding", vocabulary: 11, dimensions: 4 }, { kind: "global-average-pool" }, dense(3)], loss: CLASSES },
  ],
  [
    "names with leading zeros",
    { inputLength: 4, layers: Array.from({ length: 6 }, () => [dense(4), { kind: "tanh" } as const]).flat(), loss: "mse" },
  ],
];

const LENET: readonly LayerSpec[] = [
  { kind: "conv2d", channels: 6, size: 5, padding: 2 },
  { kind: "tanh" },
  { kind: "average-pool", size: 2 },
  { kind: "conv2d", channels: 16, size: 5 },
  { kind: "tanh" },
  { kind: "average-pool", size: 2 },
  { kind: "flatten" },
  dense(120),
  { kind: "tanh" },
  dense(84),
  { kind: "tanh" },
  dense(10),
];
const RESIDUAL: readonly LayerSpec[] = [
  conv(8),
  { kind: "group-norm", groups: 4 },
  { kind: "relu" },
  { kind: "residual", layers: [conv(8), { kind: "group-norm", groups: 4 }, { kind: "relu" }, conv(8), { kind: "group-norm", groups: 4 }] },
  { kind: "relu" },
  {
    kind: "residual",
    layers: [{ ...conv(16), stride: 2 }, { kind: "group-norm", groups: 4 }, { kind: "relu" }, conv(16), { kind: "group-norm", groups: 4 }],
    shortcut: [
      { kind: "conv2d", channels: 16, size: 1, stride: 2 },
      { kind: "group-norm", groups: 4 },
    ],
  },
  { kind: "relu" },
  { kind: "global-average-pool" },
  { kind: "dropout", rate: 0.2 },
  dense(10),
];
/** Whole networks for images of 28 × 28. */
export const NETWORKS: readonly (readonly [string, NetworkSpec])[] = [
  ["an MLP", { inputLength: 784, layers: [dense(128), { kind: "relu" }, dense(64), { kind: "relu" }, dense(10)], loss: CLASSES }],
  ["LeNet-5", { inputLength: 784, inputShape: [1, 28, 28], layers: LENET, loss: CLASSES }],
  ["a residual network with group norm", { inputLength: 784, inputShape: [1, 28, 28], layers: RESIDUAL, loss: CLASSES }],
];
/** What those images are. */
export const IMAGES: DatasetSchema = { kind: "tensor", shape: [28, 28], element: "u8", scale: 1 / 255, task: "classification", classes: 10 };

/** The initial parameters, moved so that biases and statistics matter too. */
export function parametersOf(spec: NetworkSpec): Float32Array {
  const parameters = initialParameters(spec, 5);
  const stream = randomStream(5, "onnx", "parameters");
  for (const { name, offset, length } of networkLayout(spec).entries) {
    for (let at = offset; at < offset + length; at += 1)
      parameters[at]! += name.endsWith("runningVariance") ? stream.uniform() : (stream.uniform() - 0.5) / 4;
  }
  return parameters;
}

/** Features that a network takes: tokens for an embedding. */
export function featuresOf({ inputLength, layers: [first] }: NetworkSpec, rows: number): Float32Array {
  const stream = randomStream(5, "onnx", "features");
  return Float32Array.from({ length: rows * inputLength }, () =>
    first?.kind === "embedding" ? Math.floor(stream.uniform() * first.vocabulary) : stream.uniform() * 4 - 1,
  );
}

/** Images of 28 × 28 bytes that differ: a rectangle on a ground, with noise. */
export function imagesOf(rows: number): Uint8Array<ArrayBuffer> {
  const stream = randomStream(6, "onnx", "images");
  const images = new Uint8Array(rows * 784);
  for (let row = 0; row < rows; row += 1) {
    const [ground, level] = [stream.below(200), stream.below(200)];
    const [top, left, height, width] = [stream.below(20), stream.below(20), 2 + stream.below(20), 2 + stream.below(20)];
    for (let at = 0; at < 784; at += 1) {
      const [y, x] = [Math.floor(at / 28), at % 28];
      const isInside = y >= top && y < top + height && x >= left && x < left + width;
      images[row * 784 + at] = (isInside ? level : ground) + stream.below(50);
    }
  }
  return images;
}
