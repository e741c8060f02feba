import { describe, it } from "vitest";
import { KERNEL_BUILDS, loadKernel, type NetworkSpec } from "./index.ts";
import { expectFormulas } from "./test/gradient-problem.ts";

const IMAGE = { inputLength: 2 * 5 * 6, inputShape: [2, 5, 6] } as const;
const CLASSES = "softmax-cross-entropy";
const dense = (units: number) => ({ kind: "dense", units }) as const;

const NETWORKS: readonly (readonly [string, NetworkSpec])[] = [
  ["conv2d", { ...IMAGE, layers: [{ kind: "conv2d", channels: 3, size: 3 }, { kind: "tanh" }, dense(3)], loss: CLASSES }],
  [
    "conv2d on conv2d with padding, strides and sides that differ, flattened",
    {
      ...IMAGE,
      layers: [
        { kind: "conv2d", channels: 5, size: [3, 2], padding: [1, 0] },
        { kind: "relu" },
        { kind: "conv2d", channels: 4, size: [5, 3], stride: [2, 3], padding: [2, 1] },
        { kind: "relu" },
        { kind: "conv2d", channels: 9, size: 1 },
        { kind: "flatten" },
        { kind: "tanh" },
        dense(2),
      ],
      loss: "bce",
    },
  ],
  [
    "conv2d as the last layer, on a row",
    { inputLength: 9, inputShape: [1, 1, 9], layers: [{ kind: "conv2d", channels: 2, size: [1, 3], padding: [0, 1] }], loss: "mse" },
  ],
  ["max-pool", { ...IMAGE, layers: [{ kind: "conv2d", channels: 3, size: 3, padding: 1 }, { kind: "max-pool", size: 2 }, dense(3)], loss: CLASSES }],
  [
    "max-pool with windows that overlap and reach over the edge",
    {
      ...IMAGE,
      layers: [{ kind: "conv2d", channels: 3, size: 1 }, { kind: "max-pool", size: [3, 2], stride: [2, 1], padding: 1 }, { kind: "relu" }, dense(2)],
      loss: "mse",
    },
  ],
  [
    "average-pool",
    { ...IMAGE, layers: [{ kind: "conv2d", channels: 3, size: 3, padding: 1 }, { kind: "average-pool", size: 2 }, dense(3)], loss: CLASSES },
  ],
  [
    "average-pool with windows that overlap and reach over the edge",
    {
      ...IMAGE,
      layers: [
        { kind: "conv2d", channels: 3, size: 1 },
        { kind: "average-pool", size: [3, 2], stride: [2, 1], padding: 1 },
        { kind: "tanh" },
        dense(2),
      ],
      loss: "mse",
    },
  ],
  [
    "global-average-pool",
    { ...IMAGE, layers: [{ kind: "conv2d", channels: 4, size: 3 }, { kind: "tanh" }, { kind: "global-average-pool" }, dense(3)], loss: CLASSES },
  ],
  [
    "group-norm",
    {
      ...IMAGE,
      layers: [
        { kind: "conv2d", channels: 6, size: 3, padding: 1 },
        { kind: "group-norm", groups: 3 },
        { kind: "tanh" },
        { kind: "average-pool", size: 2 },
        dense(5),
        { kind: "group-norm", groups: 1, epsilon: 1e-3 },
        dense(3),
      ],
      loss: CLASSES,
    },
  ],
  [
    "group-norm as the first layer and by channel",
    { ...IMAGE, layers: [{ kind: "group-norm", groups: 1 }, { kind: "group-norm", groups: 2 }, { kind: "tanh" }, dense(3)], loss: CLASSES },
  ],
  [
    "residual",
    {
      ...IMAGE,
      layers: [
        { kind: "conv2d", channels: 4, size: 3, padding: 1 },
        {
          kind: "residual",
          layers: [{ kind: "conv2d", channels: 4, size: 3, padding: 1 }, { kind: "group-norm", groups: 2 }, { kind: "tanh" }],
        },
        { kind: "max-pool", size: 2 },
        dense(3),
      ],
      loss: CLASSES,
    },
  ],
  [
    "residual with a shortcut, inside each other, first and last",
    {
      ...IMAGE,
      layers: [
        {
          kind: "residual",
          layers: [
            { kind: "conv2d", channels: 3, size: 3, stride: 2, padding: 1 },
            { kind: "residual", layers: [{ kind: "tanh" }, { kind: "conv2d", channels: 3, size: 3, padding: 1 }] },
          ],
          shortcut: [
            { kind: "conv2d", channels: 3, size: 1, stride: 2 },
            { kind: "group-norm", groups: 3 },
          ],
        },
        { kind: "residual", layers: [dense(4), { kind: "tanh" }], shortcut: [dense(4)] },
      ],
      loss: "mse",
    },
  ],
  [
    "dropout",
    { inputLength: 9, layers: [{ kind: "dropout", rate: 0.3 }, dense(8), { kind: "tanh" }, { kind: "dropout", rate: 0.5 }, dense(3)], loss: CLASSES },
  ],
  [
    "dropout inside residual",
    { inputLength: 6, layers: [dense(5), { kind: "residual", layers: [{ kind: "tanh" }, { kind: "dropout", rate: 0.4 }] }, dense(3)], loss: CLASSES },
  ],
  ["embedding", { inputLength: 5, layers: [{ kind: "embedding", vocabulary: 6, dimensions: 3 }, { kind: "tanh" }, dense(3)], loss: CLASSES }],
  [
    "embedding, averaged",
    { inputLength: 5, layers: [{ kind: "embedding", vocabulary: 9, dimensions: 4 }, { kind: "global-average-pool" }, dense(2)], loss: "mse" },
  ],
  [
    "batch-norm",
    {
      ...IMAGE,
      layers: [
        { kind: "conv2d", channels: 3, size: 3 },
        { kind: "batch-norm" },
        { kind: "tanh" },
        dense(4),
        { kind: "batch-norm", momentum: 0.5, epsilon: 1e-3 },
        { kind: "tanh" },
        dense(3),
      ],
      loss: CLASSES,
    },
  ],
  ["batch-norm as the first layer", { ...IMAGE, layers: [{ kind: "batch-norm" }, { kind: "tanh" }, dense(3)], loss: "bce" }],
  [
    "depthwise-conv2d",
    {
      ...IMAGE,
      layers: [
        { kind: "depthwise-conv2d", size: 3, padding: 1 },
        { kind: "tanh" },
        { kind: "depthwise-conv2d", size: [2, 3], stride: [2, 1], padding: [0, 1] },
        { kind: "conv2d", channels: 3, size: 1 },
        { kind: "relu" },
        { kind: "depthwise-conv2d", size: [2, 3], stride: 2 },
        dense(3),
      ],
      loss: CLASSES,
    },
  ],
];

describe.each(KERNEL_BUILDS)("with the build %s", (build) => {
  it.each(NETWORKS)("%s: outputs, loss and gradient are those of the formulas", async (_name, spec) => {
    expectFormulas(await loadKernel({ build }), spec);
  });
});
