import { beforeAll, describe, expect, it } from "vitest";
import type { DatasetSchema } from "../../data/index.ts";
import { createNetwork, inferShapes, initialParameters, type Kernel, loadKernel, networkLayout, type NetworkSpec } from "../../nn/index.ts";
import { compile, parseRunSpec, type RunSpecInput } from "../../spec/index.ts";
import { modelShape, type ModelOptions } from "../index.ts";
import { CATALOGUE_KINDS } from "./index.ts";

type ModelInput = RunSpecInput["model"];

function tensor(shape: readonly number[], classes?: number): DatasetSchema {
  const labels = classes === undefined ? ({ task: "regression" } as const) : ({ task: "classification", classes } as const);
  return { kind: "tensor", shape: [...shape], element: "f32", scale: 1, ...labels };
}

const TABLE: DatasetSchema = {
  kind: "table",
  task: "classification",
  columns: [
    { name: "age", role: "feature", type: "number" },
    { name: "chol", role: "feature", type: "number" },
    { name: "ill", role: "label", type: "category", categories: ["no", "yes"] },
  ],
};

function optionsOf(model: ModelInput): ModelOptions {
  const train = { optimiser: { kind: "sgd", learningRate: 0.1 } } as const;
  return parseRunSpec({ version: 1, name: "x", seed: 1, data: { dataset: "rows" }, model, train, rounds: 1 }).model;
}

function shapeOf(model: ModelInput, schema: DatasetSchema) {
  return modelShape(optionsOf(model), schema);
}

function networkOf(model: ModelInput, schema: DatasetSchema): NetworkSpec {
  const shape = shapeOf(model, schema);
  if ("refusals" in shape) throw new Error(shape.refusals.map(({ reason }) => reason).join(" "));
  return shape.network!;
}

function refusalsOf(model: ModelInput, schema: DatasetSchema) {
  const shape = shapeOf(model, schema);
  return "refusals" in shape ? shape.refusals : [];
}

function outputShapes({ layers, inputShape = [0] }: NetworkSpec): readonly string[] {
  return inferShapes(layers, inputShape).map(({ outputShape }) => outputShape.join("×"));
}

describe("every model of the catalogue", () => {
  it("is listed once", () => {
    expect(CATALOGUE_KINDS).toEqual(["linear", "logistic", "softmax", "mlp", "lenet5", "cnn", "resnet", "layers"]);
  });

  // Worked out by hand from the papers' layers; weights and biases.
  it.each<readonly [string, ModelInput, DatasetSchema, number]>([
    ["13 weights and a bias", { kind: "linear" }, tensor([13]), 13 + 1],
    ["2 weights and a bias", { kind: "logistic" }, TABLE, 2 + 1],
    ["784 × 10 weights and 10 biases", { kind: "softmax" }, tensor([28, 28], 10), 7850],
    ["784 × 128, 128 × 10", { kind: "mlp" }, tensor([28, 28], 10), 784 * 128 + 128 + 128 * 10 + 10],
    ["LeNet-5's 156 + 2,416 + 48,120 + 10,164 + 850", { kind: "lenet5" }, tensor([28, 28], 10), 61_706],
    ["the same on 32 × 32 without padding", { kind: "lenet5", padding: 0 }, tensor([32, 32], 10), 61_706],
    ["LeNet-5 with three channels", { kind: "lenet5", padding: 0, activation: "relu", pooling: "max" }, tensor([3, 32, 32], 10), 61_706 + 6 * 2 * 25],
    ["McMahan's count", { kind: "cnn" }, tensor([28, 28], 10), 1_663_370],
    ["McMahan's count, written with its channel", { kind: "cnn" }, tensor([1, 28, 28], 10), 1_663_370],
    ["McMahan's CNN for a number", { kind: "cnn" }, tensor([28, 28]), 1_663_370 - 9 * 513],
    ["a CNN with one small stage", { kind: "cnn", channels: [2], units: 3 }, tensor([4, 4], 2), 2 * 26 + (8 * 3 + 3) + (3 * 2 + 2)],
    // Convolutions of 3 → 16, 16 → 16 twice, 16 → 32, 32 → 32, 32 → 64, 64 → 64 channels, 1 × 1 ones beside them, nine norms, ten outputs.
    [
      "ResNet-8",
      { kind: "resnet" },
      tensor([3, 32, 32], 10),
      9 * (3 * 16 + 16 * 16 * 2 + 16 * 32 + 32 * 32 + 32 * 64 + 64 * 64) +
        (16 * 3 + 32 * 2 + 64 * 2) +
        (16 * 32 + 32 + 32 * 64 + 64) +
        2 * (16 * 3 + 32 * 3 + 64 * 3) +
        650,
    ],
  ])("has the parameters of its definition: %s", (_name, model, schema, parameters) => {
    expect(networkLayout(networkOf(model, schema)).length).toBe(parameters);
  });

  it("follows the dataset's shape, images through every layer", () => {
    expect(networkOf({ kind: "cnn" }, tensor([28, 28], 10))).toMatchObject({
      inputLength: 784,
      inputShape: [1, 28, 28],
      loss: "softmax-cross-entropy",
    });
    expect(outputShapes(networkOf({ kind: "lenet5" }, tensor([28, 28], 10)))).toEqual(
      "6×28×28 6×28×28 6×14×14 16×10×10 16×10×10 16×5×5 400 120 120 84 84 10".split(" "),
    );
    const resnet = networkOf({ kind: "resnet", depth: 14, width: 8 }, tensor([3, 31, 17], 4));
    expect(outputShapes(resnet).filter((_, index) => index > 1)).toEqual(
      "8×31×17 8×31×17 8×31×17 8×31×17 8×31×17 16×16×9 16×16×9 16×16×9 16×16×9 32×8×5 32×8×5 32×8×5 32×8×5 32 4".split(" "),
    );
    expect(networkOf({ kind: "cnn", inputShape: [1, 4, 8] }, tensor([32], 2)).inputShape).toEqual([1, 4, 8]);
    expect(networkOf({ kind: "mlp" }, tensor([28, 28], 10))).not.toHaveProperty("inputShape");
    expect(networkOf({ kind: "cnn", inputShape: [9, 8, 3], channels: [2] }, tensor([9, 8, 3], 2)).inputShape).toEqual([9, 8, 3]);
    // What makes a row of numbers of an example does not ask for their order.
    const flat: ModelInput = {
      kind: "layers",
      layers: [
        { kind: "dropout", rate: 0.1 },
        { kind: "dense", units: 2 },
      ],
    };
    expect(networkOf(flat, tensor([9, 8, 3], 2)).inputShape).toEqual([9, 8, 3]);
  });

  it("learns what its name says", () => {
    expect(networkOf({ kind: "linear" }, tensor([4]))).toEqual({ inputLength: 4, layers: [{ kind: "dense", units: 1 }], loss: "mse" });
    expect(networkOf({ kind: "logistic" }, TABLE)).toEqual({ inputLength: 2, layers: [{ kind: "dense", units: 1 }], loss: "bce" });
    expect(networkOf({ kind: "softmax" }, TABLE)).toEqual({ inputLength: 2, layers: [{ kind: "dense", units: 2 }], loss: "softmax-cross-entropy" });
  });
});

describe("every model of the catalogue learns", () => {
  let kernel: Kernel;
  beforeAll(async () => {
    kernel = await loadKernel();
  });

  const PIXELS = 12 * 12;

  it.each<readonly [ModelInput, number | undefined]>([
    [{ kind: "linear" }, undefined],
    [{ kind: "logistic" }, 2],
    [{ kind: "softmax" }, 3],
    [{ kind: "mlp", hidden: [8] }, 3],
    [{ kind: "lenet5" }, 3],
    [{ kind: "cnn", channels: [4, 4], units: 8 }, 3],
    [{ kind: "resnet", width: 4 }, 3],
    [{ kind: "layers", layers: [{ kind: "depthwise-conv2d", size: 3 }, { kind: "batch-norm" }, { kind: "dense", units: 3 }] }, 3],
  ])("%j", (model, classes) => {
    const spec = networkOf(model, tensor([12, 12], classes));
    const network = createNetwork(kernel, spec, { maxBatch: 12 });
    network.load(initialParameters(spec, 1));
    // Each class is bright in rows of its own.
    const labels = Array.from({ length: 12 }, (_, row) => row % (classes ?? 2));
    const features = Float32Array.from({ length: 12 * PIXELS }, (_, index) => {
      const [row, pixel] = [Math.floor(index / PIXELS), index % PIXELS];
      return Math.floor(pixel / 12) % 3 === labels[row] ? 0.5 : -0.5 + ((index * 31) % 7) / 70;
    });
    const targets = classes === undefined ? Float32Array.from(labels) : Uint8Array.from(labels);
    const order = Array.from({ length: 30 }, () => Uint32Array.from(labels.keys()));
    const before = network.evaluateSync({ features, targets });
    network.fitSync({ features, targets, order, batchSize: 6, optimiser: { kind: "adamw", learningRate: 0.01 } });
    const after = network.evaluateSync({ features, targets });
    expect(after.loss).toBeLessThan(before.loss / 2);
    if (classes !== undefined) expect(after.correct).toBe(12);
  });
});

const IMAGES_LAST = /looks like \[height, width, channels\]; the model takes \[channels, height, width\]/u;

/** What does not fit: model, rows, where the refusal points, what it says; whether its edits mend the spec. */
const MISFITS: readonly (readonly [ModelInput, DatasetSchema, string, RegExp, "mended" | "no edit"])[] = [
  [{ kind: "linear" }, tensor([4], 2), "model.kind", /predicts a number; the labels are one of 2 classes/u, "mended"],
  [{ kind: "linear" }, tensor([4], 3), "model.kind", /one of 3 classes/u, "mended"],
  [{ kind: "logistic" }, tensor([4], 3), "model.kind", /two classes apart; the labels are one of 3 classes/u, "mended"],
  [{ kind: "logistic" }, tensor([4]), "model.kind", /the labels are numbers/u, "mended"],
  [{ kind: "softmax" }, tensor([4]), "model.kind", /tells classes apart; the labels are numbers/u, "mended"],
  [{ kind: "cnn", units: 8 }, TABLE, "model.kind", /^The model cnn learns from images, .*; a row of the dataset has the shape \[2\]\.$/u, "mended"],
  [{ kind: "lenet5" }, tensor([784], 10), "model.kind", /shape \[784\]/u, "mended"],
  [{ kind: "resnet" }, tensor([2, 3, 4, 5], 10), "model.kind", /shape \[2, 3, 4, 5\]/u, "mended"],
  [{ kind: "cnn" }, tensor([28, 28, 1], 10), "model.kind", IMAGES_LAST, "mended"],
  [{ kind: "cnn", inputShape: [3, 28, 28] }, tensor([28, 28, 3], 10), "model.inputShape", IMAGES_LAST, "no edit"],
  [{ kind: "resnet" }, tensor([32, 32, 3], 10), "model.kind", IMAGES_LAST, "no edit"],
  [
    { kind: "layers", layers: [{ kind: "relu" }, { kind: "conv2d", channels: 2, size: 3 }] },
    tensor([9, 9, 3], 3),
    "model.kind",
    IMAGES_LAST,
    "no edit",
  ],
  [
    { kind: "cnn", inputShape: [1, 9, 9] },
    tensor([8, 8], 3),
    "model.inputShape",
    /\[1, 9, 9\] has 81 values, a row of the dataset has 64/u,
    "mended",
  ],
  [{ kind: "cnn", inputShape: [1, 9, 9] }, tensor([64], 3), "model.inputShape", /has 81 values/u, "no edit"],
  [
    { kind: "cnn" },
    tensor([2, 2], 3),
    "model.kind",
    /^The model cnn cannot be made for an example of shape \[1, 2, 2\]: Layer 5 \(max-pool\) is/u,
    "no edit",
  ],
  [{ kind: "mlp", hidden: [65_536, 65_536] }, tensor([4], 3), "model.kind", /Layer 2 \(dense\) makes a tensor of shape \[65536, 65536\]/u, "no edit"],
  [{ kind: "resnet", width: 12, groups: 8 }, tensor([8, 8], 3), "model.groups", /8 groups do not divide the 12 channels/u, "mended"],
  [
    { kind: "layers", layers: [{ kind: "relu" }, { kind: "conv2d", channels: 2, size: 3 }] },
    tensor([5], 3),
    "model.layers[1]",
    /^Layer 1 \(conv2d\) is given \[5\]; it takes \[channels, height, width\]\.$/u,
    "no edit",
  ],
  [
    { kind: "layers", layers: [{ kind: "residual", layers: [{ kind: "relu" }, { kind: "group-norm", groups: 3 }] }] },
    tensor([4, 8, 8], 3),
    "model.layers[0].layers[1].groups",
    /^Layer 0, layer 1 \(group-norm\) is given \[4, 8, 8\]; its 3 groups want/u,
    "no edit",
  ],
  [
    {
      kind: "layers",
      layers: [{ kind: "residual", layers: [{ kind: "dense", units: 3 }], shortcut: [{ kind: "relu" }, { kind: "max-pool", size: 2 }] }],
    },
    tensor([4], 3),
    "model.layers[0].shortcut[1]",
    /^Layer 0, shortcut 1 \(max-pool\) is given \[4\]/u,
    "no edit",
  ],
  [
    { kind: "layers", layers: [{ kind: "dense", units: 2 }] },
    tensor([4], 3),
    "model.layers[0].units",
    /^The last layer, dense, gives \[2\]; the dataset's labels need 3 numbers\.$/u,
    "mended",
  ],
  [
    { kind: "layers", layers: [{ kind: "conv2d", channels: 2, size: 3 }, { kind: "relu" }] },
    tensor([4, 4]),
    "model.layers[2]",
    /^The last layer, relu, gives \[2, 2, 2\]; the dataset's labels need 1 numbers/u,
    "mended",
  ],
  [{ kind: "layers", layers: [{ kind: "flatten" }] }, tensor([3], 3), "model.layers[1]", /nothing to learn/u, "mended"],
  [
    { kind: "layers", layers: [{ kind: "dense", units: 1 }], loss: "bce" },
    tensor([4], 3),
    "model.loss",
    /bce does not fit labels that are one of 3/u,
    "mended",
  ],
  [{ kind: "layers", layers: [{ kind: "dense", units: 3 }], inputShape: [2, 3] }, tensor([4], 3), "model.inputShape", /has 6 values/u, "mended"],
];

describe("a model that does not fit the dataset", () => {
  it.each(MISFITS)("is refused: %j", (model, schema, path, reason, mending) => {
    const refusals = refusalsOf(model, schema);
    expect(refusals).toEqual([
      expect.objectContaining({ path, reason: expect.stringMatching(reason) as string, remedy: expect.stringMatching(/\.$/u) as string }),
    ]);
    const { edits } = refusals[0]!;
    expect(edits !== undefined).toBe(mending === "mended");
    if (edits === undefined) return;
    const document = structuredClone({ model }) as unknown as Record<string, unknown>;
    for (const edit of edits) set(document, edit.path, edit.value);
    expect(refusalsOf(document["model"] as ModelInput, schema)).toEqual([]);
  });

  it("is a refusal of the run", () => {
    const train = { optimiser: { kind: "sgd", learningRate: 0.1 } } as const;
    const spec = parseRunSpec({
      version: 1,
      name: "x",
      seed: 1,
      data: { dataset: "rows" },
      model: { kind: "cnn" },
      train,
      protection: { kind: "none" },
      rounds: 1,
    });
    const dataset = { schema: TABLE, trainExamples: 5, testExamples: 0, contentHash: "0".repeat(64) };
    expect(compile(spec, { kernelBuild: "build", parties: [{ name: "ash", kernelBuild: "build", dataset }] })).toMatchObject({
      ok: false,
      refusals: [{ path: "model.kind", edits: [{ path: "model", value: { kind: "mlp" } }] }],
    });
  });
});

/** Sets what a path such as `model.layers[2].units` names. */
function set(document: object, path: string, value: unknown): void {
  const keys = path.split(/[.[\]]+/u).filter((key) => key !== "");
  const holder = keys.slice(0, -1).reduce((at, key) => Reflect.get(at, key) as object, document);
  Reflect.set(holder, keys.at(-1)!, value);
}
