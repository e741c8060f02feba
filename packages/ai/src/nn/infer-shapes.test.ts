import { beforeAll, describe, expect, it } from "vitest";
import {
  createNetwork,
  type FitOptions,
  inferShapes,
  initialParameters,
  type Kernel,
  type LayerSpec,
  loadKernel,
  networkLayout,
  type NetworkSpec,
} from "./index.ts";

/** McMahan et al. 2017, §3: two 5 × 5 convolutions of 32 and 64 channels, each with 2 × 2 max pooling, 512 units, 10 outputs. */
const MCMAHAN: readonly LayerSpec[] = [
  { kind: "conv2d", channels: 32, size: 5, padding: 2 },
  { kind: "relu" },
  { kind: "max-pool", size: 2 },
  { kind: "conv2d", channels: 64, size: 5, padding: 2 },
  { kind: "relu" },
  { kind: "max-pool", size: 2 },
  { kind: "flatten" },
  { kind: "dense", units: 512 },
  { kind: "relu" },
  { kind: "dense", units: 10 },
];

const loss = "softmax-cross-entropy";

describe("inferShapes", () => {
  it("gives the shapes of McMahan's CNN and its 1,663,370 parameters", () => {
    const shapes = inferShapes(MCMAHAN, [1, 28, 28]);
    expect(shapes.map(({ outputShape }) => outputShape.join(" × "))).toEqual([
      "32 × 28 × 28",
      "32 × 28 × 28",
      "32 × 14 × 14",
      "64 × 14 × 14",
      "64 × 14 × 14",
      "64 × 7 × 7",
      "3136",
      "512",
      "512",
      "10",
    ]);
    expect(shapes[3]).toEqual({
      name: "layer3",
      kind: "conv2d",
      inputShape: [32, 14, 14],
      outputShape: [64, 14, 14],
      parameters: [
        { name: "layer3.bias", shape: [64], trained: true },
        { name: "layer3.weight", shape: [64, 32, 5, 5], trained: true },
      ],
      inner: [],
    });
    expect(networkLayout({ inputLength: 784, inputShape: [1, 28, 28], layers: MCMAHAN, loss }).length).toBe(1_663_370);
  });

  it("names what is inside a residual block as its tensors are named", () => {
    const block: LayerSpec = {
      kind: "residual",
      layers: [
        { kind: "conv2d", channels: 4, size: 3, stride: 2, padding: 1 },
        { kind: "group-norm", groups: 2 },
      ],
      shortcut: [{ kind: "conv2d", channels: 4, size: 1, stride: 2 }],
    };
    const [shapes] = inferShapes([block], [2, 8, 8]);
    expect(shapes!.outputShape).toEqual([4, 4, 4]);
    expect(shapes!.inner.map(({ name, outputShape }) => [name, outputShape])).toEqual([
      ["layer0.layer0", [4, 4, 4]],
      ["layer0.layer1", [4, 4, 4]],
      ["layer0.shortcut0", [4, 4, 4]],
    ]);
    const names = networkLayout({ inputLength: 128, inputShape: [2, 8, 8], layers: [block], loss }).entries.map(({ name }) => name);
    expect(names).toEqual(shapes!.parameters.map(({ name }) => name));
    expect(names).toContain("layer0.shortcut0.weight");
  });

  it.each<readonly [readonly LayerSpec[], readonly number[], RegExp]>([
    [[{ kind: "conv2d", channels: 2, size: 3 }], [784], /^Layer 0 \(conv2d\) is given \[784\]; it takes \[channels, height, width\]\.$/u],
    [
      [{ kind: "relu" }, { kind: "conv2d", channels: 2, size: [5, 3] }],
      [1, 4, 9],
      /^Layer 1 \(conv2d\) is given \[1, 4, 9\]; its window of 5 × 3 wants at least \[1, 5, 3\]\.$/u,
    ],
    [[{ kind: "conv2d", channels: 0, size: 3 }], [1, 4, 4], /^Layer 0 \(conv2d\) has 0 channels; it needs a whole number from 1\.$/u],
    [
      [{ kind: "conv2d", channels: 1, size: 2, stride: 0 }],
      [1, 4, 4],
      /^Layer 0 \(conv2d\) has the stride 0; it takes a whole number from 1, or two of them\.$/u,
    ],
    [[{ kind: "conv2d", channels: 1, size: 2, padding: [1, -1] }], [1, 4, 4], /padding \[1,-1\]/u],
    [
      [{ kind: "max-pool", size: 2, padding: 2 }],
      [1, 4, 4],
      /^Layer 0 \(max-pool\) has the padding \[2, 2\]; it must be below its size \[2, 2\]\.$/u,
    ],
    [
      [{ kind: "average-pool", size: 9 }],
      [1, 4, 4],
      /^Layer 0 \(average-pool\) is given \[1, 4, 4\]; its window of 9 × 9 wants at least \[1, 9, 9\]/u,
    ],
    [[{ kind: "depthwise-conv2d", size: 3 }], [3, 4], /^Layer 0 \(depthwise-conv2d\) is given \[3, 4\]/u],
    [[{ kind: "global-average-pool" }], [3], /^Layer 0 \(global-average-pool\) is given \[3\]/u],
    [
      [{ kind: "group-norm", groups: 4 }],
      [6, 2, 2],
      /^Layer 0 \(group-norm\) is given \[6, 2, 2\]; its 4 groups want a number of channels that 4 divides\.$/u,
    ],
    [[{ kind: "group-norm", groups: 2, epsilon: 0 }], [6], /^Layer 0 \(group-norm\) has the epsilon 0/u],
    [[{ kind: "batch-norm", momentum: 0 }], [6], /^Layer 0 \(batch-norm\) has the momentum 0/u],
    [[{ kind: "embedding", vocabulary: 3, dimensions: 2 }], [2, 2], /^Layer 0 \(embedding\) is given \[2, 2\]; it takes \[length\]\.$/u],
    [[{ kind: "embedding", vocabulary: 2 ** 25, dimensions: 2 }], [2], /at most 16777216/u],
    [[{ kind: "residual", layers: [] }], [2], /^Layer 0 \(residual\) has no layers inside/u],
    [
      [{ kind: "residual", layers: [{ kind: "dense", units: 3 }] }],
      [2],
      /^Layer 0 \(residual\) is given \[2\] and its layers give \[3\]; the input that is added has \[2\]\.$/u,
    ],
    [
      [{ kind: "relu" }, { kind: "residual", layers: [{ kind: "relu" }, { kind: "max-pool", size: 2 }] }],
      [4],
      /^Layer 1, layer 1 \(max-pool\) is given \[4\]/u,
    ],
    [
      [{ kind: "residual", layers: [{ kind: "relu" }], shortcut: [{ kind: "dense", units: 1 }] }],
      [2],
      /its layers give \[2\]; its shortcut gives \[1\]\.$/u,
    ],
    [[{ kind: "residual", layers: [{ kind: "conv" } as unknown as LayerSpec] }], [2], /^Layer 0, layer 0 is of kind "conv"; there are dense, /u],
    [[{ kind: "dense", units: 2 ** 40 }], [4], /^Layer 0 \(dense\) makes a tensor of shape \[1099511627776\], which no memory/u],
    [[{ kind: "relu" }], [2, 0], /the shape \[2, 0\]; it needs whole numbers from 1/u],
    [[], [2], /no layer/u],
  ])("refuses %j on %j, naming the layer, what it is given and what it takes", (layers, inputShape, message) => {
    expect(() => inferShapes(layers, inputShape)).toThrow(
      expect.objectContaining({ code: "SPEC_INVALID", message: expect.stringMatching(message) as string }),
    );
  });
});

describe("a network of images", () => {
  let kernel: Kernel;
  beforeAll(async () => {
    kernel = await loadKernel();
  });

  it("needs an input shape that fits its features, and a memory that can be had", () => {
    const spec: NetworkSpec = { inputLength: 784, inputShape: [1, 28, 27], layers: MCMAHAN, loss };
    expect(() => networkLayout(spec)).toThrow(/takes 784 features; an input of \[1, 28, 27\] has 756/u);
    expect(() => createNetwork(kernel, { ...spec, inputShape: [1, 28, 28] }, { maxBatch: 100_000 })).toThrow(
      expect.objectContaining({
        code: "SPEC_INVALID",
        message: expect.stringMatching(/GiB for batches of 100000; a kernel's memory holds 4/u) as string,
      }),
    );
  });

  it("gives the same bits whatever the network could hold, however the slices fall, and for bytes with a scale", async () => {
    const layers: readonly LayerSpec[] = [
      { kind: "conv2d", channels: 5, size: 3, padding: 1 },
      { kind: "relu" },
      { kind: "max-pool", size: 2 },
      {
        kind: "residual",
        layers: [
          { kind: "conv2d", channels: 5, size: 3, padding: 1 },
          { kind: "group-norm", groups: 5 },
          { kind: "dropout", rate: 0.2 },
        ],
      },
      { kind: "depthwise-conv2d", size: 2 },
      { kind: "global-average-pool" },
      { kind: "dense", units: 3 },
    ];
    const spec: NetworkSpec = { inputLength: 63, inputShape: [1, 9, 7], layers, loss };
    const bytes = Uint8Array.from({ length: 20 * 63 }, (_, i) => (i * 73) % 256);
    const scale = Math.fround(1 / 255);
    const options: FitOptions = {
      features: Float32Array.from(bytes, (byte) => byte * scale),
      targets: Uint8Array.from({ length: 20 }, (_, i) => i % 3),
      order: Uint32Array.from({ length: 20 }, (_, i) => (i * 7) % 20),
      batchSize: 6,
      optimiser: { kind: "adamw", learningRate: 0.01 },
      schedule: { spec: { kind: "cosine", length: 6 } },
      random: { seed: 1, path: [] },
    };
    const results = await Promise.all(
      [
        { maxBatch: 6, sliceMs: 40, changes: {} },
        { maxBatch: 20, sliceMs: 0, changes: {} },
        { maxBatch: 6, sliceMs: 40, changes: { features: bytes, featureScale: 1 / 255 } },
      ].map(async ({ maxBatch, sliceMs, changes }) => {
        const network = createNetwork(kernel, spec, { maxBatch });
        network.load(initialParameters(spec, 2));
        const sums = await network.fit({ ...options, ...changes, sliceMs });
        return [sums, network.evaluateSync(options), network.save()];
      }),
    );
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });
});
