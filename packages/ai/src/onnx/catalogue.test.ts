import { expect, it } from "vitest";
import type { DatasetSchema } from "../data/index.ts";
import { CATALOGUE_KINDS } from "../models/catalogue/index.ts";
import { modelShape } from "../models/index.ts";
import { createNetwork, loadKernel } from "../nn/index.ts";
import { parseRunSpec, type RunSpecInput } from "../spec/index.ts";
import { exportOnnx } from "./index.ts";
import { featuresOf, parametersOf } from "./test/networks.ts";
import { runOnnx } from "./test/onnx-runtime.ts";

type ModelInput = RunSpecInput["model"];

function tensor(shape: readonly number[], classes?: number): DatasetSchema {
  const labels = classes === undefined ? ({ task: "regression" } as const) : ({ task: "classification", classes } as const);
  return { kind: "tensor", shape: [...shape], element: "f32", scale: 1, ...labels };
}

/** Every model of the catalogue, as large as it comes where that is small enough, on rows that it takes. */
const MODELS: readonly (readonly [ModelInput, DatasetSchema])[] = [
  [{ kind: "linear" }, tensor([13])],
  [{ kind: "logistic" }, tensor([13], 2)],
  [{ kind: "softmax" }, tensor([28, 28], 10)],
  [{ kind: "mlp" }, tensor([28, 28], 10)],
  [{ kind: "lenet5" }, tensor([28, 28], 10)],
  [{ kind: "cnn" }, tensor([28, 28], 10)],
  [{ kind: "resnet", width: 8 }, tensor([3, 16, 16], 4)],
  [{ kind: "layers", layers: [{ kind: "depthwise-conv2d", size: 3 }, { kind: "batch-norm" }, { kind: "dense", units: 3 }] }, tensor([2, 9, 9], 3)],
];

it("exports every model of the catalogue", () => {
  expect(MODELS.map(([{ kind }]) => kind)).toEqual(CATALOGUE_KINDS);
});

it.each(MODELS)("%j gives in onnxruntime-web what it predicts", async (model, schema) => {
  const train = { optimiser: { kind: "sgd", learningRate: 0.1 } } as const;
  const options = parseRunSpec({ version: 1, name: "x", seed: 1, data: { dataset: "rows" }, model, train, rounds: 1 }).model;
  const shape = modelShape(options, schema);
  if (!("network" in shape) || shape.network === undefined) throw new Error(`The model ${model.kind} is no network.`);
  const { network: spec } = shape;
  const network = createNetwork(await loadKernel(), spec, { maxBatch: 4 });
  const parameters = parametersOf(spec);
  network.load(parameters);
  const features = featuresOf(spec, 6);
  const found = await runOnnx(
    exportOnnx({ network: spec, parameters, name: model.kind, schema }),
    features,
    schema.kind === "tensor" ? schema.shape : [],
  );
  const wanted = network.predict(features);
  expect(found.length).toBe(wanted.length);
  for (const [at, value] of wanted.entries()) expect(Math.abs(found[at]! - value)).toBeLessThan(2e-5 * Math.max(Math.abs(value), 0.01));
  expect(new Set(wanted).size).toBeGreaterThanOrEqual(6);
});
