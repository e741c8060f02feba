import { createHash } from "node:crypto";
import { fromBinary } from "@bufbuild/protobuf";
import { OnnxModelSchema } from "@ciphernx/protocol/onnx";
import { beforeAll, describe, expect, it } from "vitest";
import type { DatasetSchema } from "../data/index.ts";
import { createNetwork, type Kernel, LAYER_KINDS, loadKernel, type Network, networkLayout } from "../nn/index.ts";
import { encodeSafetensors, viewParameters } from "../tensor/index.ts";
import { exportOnnx } from "./index.ts";
import { featuresOf, IMAGES, imagesOf, LAYERS, NETWORKS, parametersOf } from "./test/networks.ts";
import { runOnnx } from "./test/onnx-runtime.ts";

let kernel: Kernel;
beforeAll(async () => {
  kernel = await loadKernel();
});

/** Changes only when what is written changes; the bytes are the same on every host. */
const GOLDEN = "681f744543a297f3ace818ef95d9f0506ca460ac59900c4c8f6bb3dcffc92b3b";

/**
 * The largest difference from a wanted number, relative to that number, or to the root mean square of all where it is smaller: what
 * nearly cancels out has no relative accuracy in f32, in whichever order it is added.
 */
function largestDifference(found: Float32Array, wanted: Float32Array): number {
  expect(found.length).toBe(wanted.length);
  const typical = Math.sqrt(wanted.reduce((sum, value) => sum + value * value, 0) / wanted.length);
  return wanted.reduce((most, value, at) => Math.max(most, Math.abs(found[at]! - value) / Math.max(Math.abs(value), typical)), 0);
}

/** The same for probabilities, each relative to itself. */
function largestRelativeDifference(found: Float32Array, wanted: Float32Array): number {
  expect(found.length).toBe(wanted.length);
  return wanted.reduce((most, value, at) => Math.max(most, Math.abs(found[at]! - value) / value), 0);
}

function argmaxes(outputs: Float32Array, width: number): readonly number[] {
  return Array.from({ length: outputs.length / width }, (_, row) => {
    const own = outputs.subarray(row * width, (row + 1) * width);
    return own.indexOf(Math.max(...own));
  });
}

/** Trains until a network tells images apart at all. */
function learnALittle(network: Network, features: Uint8Array): void {
  const order = Uint32Array.from({ length: 100 }, (_, index) => index);
  const targets = Uint8Array.from(order, (index) => index % 10);
  const optimiser = { kind: "sgd", learningRate: 0.1 } as const;
  const random = { seed: 5, path: ["onnx"] };
  network.fitSync({ features, featureScale: 1 / 255, targets, order: [order, order, order], batchSize: 10, optimiser, random });
}

describe("an exported layer gives in onnxruntime-web what the network predicts", () => {
  it("for every kind there is", () => {
    expect(new Set(LAYERS.flatMap(([, { layers }]) => layers.map(({ kind }) => kind)))).toEqual(new Set(LAYER_KINDS));
  });

  it.each(LAYERS)("%s", async (_name, spec) => {
    const network = createNetwork(kernel, spec, { maxBatch: 8 });
    const parameters = parametersOf(spec);
    network.load(parameters);
    const file = exportOnnx({ network: spec, parameters, name: "layers" });
    for (const rows of [1, 5]) {
      const features = featuresOf(spec, rows);
      const outputs = await runOnnx(file, features, spec.inputShape ?? [spec.inputLength]);
      expect(largestDifference(outputs, network.predict(features))).toBeLessThan(1e-5);
    }
  });

  it("a group norm of values far from 0 keeps what f32 can", async () => {
    const spec = { inputLength: 4 * 64, inputShape: [4, 8, 8], layers: [{ kind: "group-norm", groups: 2 }], loss: "mse" } as const;
    const network = createNetwork(kernel, spec, { maxBatch: 4 });
    const parameters = parametersOf(spec);
    network.load(parameters);
    const features = featuresOf(spec, 4).map((value) => value + 300);
    const outputs = await runOnnx(exportOnnx({ network: spec, parameters, name: "far" }), features, [4, 8, 8]);
    expect(largestDifference(outputs, network.predict(features))).toBeLessThan(1e-3);
  });
});

describe("an exported network", () => {
  it.each(NETWORKS)("%s takes bytes as they are stored and tells the same classes", async (_name, spec) => {
    const network = createNetwork(kernel, spec, { maxBatch: 50 });
    network.load(parametersOf(spec));
    const rows = imagesOf(100);
    learnALittle(network, rows);
    const file = exportOnnx({ network: spec, parameters: network.save(), name: "digits", schema: IMAGES });
    const outputs = await runOnnx(file, rows, [28, 28]);
    const wanted = network.predict(rows, 1 / 255);
    expect(largestRelativeDifference(outputs, wanted)).toBeLessThan(1e-5);
    expect(argmaxes(outputs, 10)).toEqual(argmaxes(wanted, 10));
    expect(new Set(argmaxes(wanted, 10)).size).toBeGreaterThan(2);
  });

  it("takes the columns of a table, and tells a probability, or a number", async () => {
    const rows = Float32Array.of(-1, 2, 0.5, 3, -2, 0.25);
    for (const loss of ["bce", "mse"] as const) {
      const spec = { inputLength: 2, layers: [{ kind: "dense", units: 1 }], loss } as const;
      const schema: DatasetSchema = {
        kind: "table",
        task: "regression",
        columns: [
          { name: "rooms", role: "feature", type: "number" },
          { name: "floor", role: "feature", type: "number" },
          { name: "price", role: "label", type: "number" },
        ],
      };
      const network = createNetwork(kernel, spec, { maxBatch: 3 });
      const parameters = Float32Array.of(0.5, 2, -1);
      network.load(parameters);
      const file = exportOnnx({ network: spec, parameters, name: "prices", schema });
      expect(largestDifference(await runOnnx(file, rows, [2]), network.predict(rows))).toBeLessThan(1e-6);
      expect(fromBinary(OnnxModelSchema, file).graph?.input[0]?.docString).toContain("rooms, floor");
    }
  });
});

describe("an exported file", () => {
  const [, spec] = NETWORKS[2]!;
  const exported = () => exportOnnx({ network: spec, parameters: parametersOf(spec), name: "digits", schema: IMAGES, card: "digits.card.json" });

  it("is the same bytes for the same model", () => {
    expect(createHash("sha256").update(exported()).digest("hex")).toBe(GOLDEN);
  });

  it("says what it is: versions, the model's hash, its card, and a batch of any size", () => {
    const { irVersion, opsetImport, metadataProps, graph } = fromBinary(OnnxModelSchema, exported());
    const file = encodeSafetensors(viewParameters(parametersOf(spec), networkLayout(spec)));
    expect([irVersion, opsetImport[0]?.version, graph?.name]).toEqual([8n, 17n, "digits"]);
    expect(metadataProps.map(({ key, value }) => [key, value])).toEqual([
      ["ciphernx.model.sha256", createHash("sha256").update(file).digest("hex")],
      ["ciphernx.card", "digits.card.json"],
    ]);
    const dimensions = graph?.input[0]?.type?.value.value?.shape?.dim.map(({ value }) => value.value);
    expect(dimensions).toEqual(["batch", 28n, 28n]);
    expect(graph?.node.find(({ opType }) => opType === "Mul")?.docString).toContain(String(1 / 255));
    expect(graph?.initializer.map(({ name }) => name)).toEqual(networkLayout(spec).entries.map(({ name }) => name));
  });

  it("is refused where parameters, rows and network do not fit", () => {
    const parameters = parametersOf(spec);
    const refused = (change: Partial<Parameters<typeof exportOnnx>[0]>) => () => exportOnnx({ network: spec, parameters, name: "digits", ...change });
    expect(refused({ parameters: parameters.subarray(1) })).toThrow(expect.objectContaining({ code: "MODEL_NOT_USABLE" }));
    expect(refused({ schema: { ...IMAGES, shape: [28, 27] } as DatasetSchema })).toThrow(/takes 784 features; a row of its schema has 756/);
    expect(refused({ network: { ...spec, layers: [{ kind: "dance" } as never] } })).toThrow(expect.objectContaining({ code: "SPEC_INVALID" }));
  });
});
