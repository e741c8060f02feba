import { folderBlobStore, type Sha256 } from "@ciphernx/core/blobs";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import { expect, it } from "vitest";
import { createAccumulator, decodeSum, encodeUpdate, encodeUpdateFile, loadAggregationKernel } from "../../aggregation/index.ts";
import { compileOrThrow, parseRunSpec } from "../../spec/index.ts";
import { createStrategy } from "../../strategy/index.ts";
import { sharingOf } from "../../strategy/sharing.ts";
import { decodeParameters, decodeSafetensors, encodeSafetensors } from "../../tensor/index.ts";
import { uploadLayout } from "../round/upload-layout.ts";
import { plainSums } from "./plain-sums.ts";
import { aggregate } from "./aggregate.ts";

/** More than one tile before, within and behind the tensor that stays. */
const SHAPES = { a: [300_000], b: [270_001], c: [2, 131_073] };

it("goes through changes, further vectors and state of a model with local tensors, tile by tile, as one does in one piece", async () => {
  const kernel = await loadAggregationKernel();
  await using folder = await temporaryFolder();
  const blobs = await folderBlobStore(folder.path);
  const spec = parseRunSpec({
    version: 1,
    name: "large",
    seed: 1,
    data: { dataset: "rows" },
    model: { kind: "tensors", tensors: SHAPES },
    train: { optimiser: { kind: "sgd", learningRate: 0.1 } },
    strategy: { kind: "scaffold", serverLearningRate: 0.5, local: ["b"] },
    encoding: { bits: 16 },
    protection: { kind: "none" },
    rounds: 1,
  });
  const dataset = { schema: { kind: "opaque" } as const, testExamples: 0, contentHash: "0".repeat(64) };
  const party = (name: string, trainExamples: number) => ({ name, kernelBuild: "own", dataset: { ...dataset, trainExamples } });
  const plan = compileOrThrow(spec, { kernelBuild: "build", parties: [party("ash", 10), party("birch", 30), party("cedar", 60)] });
  const { length } = sharingOf(plan.model);
  expect(length).toBe(300_000 + 262_146);
  const { metricNames, parameters } = uploadLayout(plan, "fit");
  expect(parameters).toBe(2 * length);

  const wave = (count: number, phase: number) => Float32Array.from({ length: count }, (_, index) => ((index * phase) % 1009) / 1009 - 0.5);
  const base = new Map(
    Object.entries(SHAPES).map(([name, shape], index) => [
      name,
      {
        shape,
        data: wave(
          shape.reduce((a, b) => a * b),
          3 + index,
        ),
      },
    ]),
  );
  const control = Float64Array.from(wave(length, 17));
  const put = async (bytes: Uint8Array) => blobs.put(bytes);
  const vectors = [
    { party: "ash", weight: 10 },
    { party: "birch", weight: 30 },
  ].map(({ weight, ...rest }, index) => {
    const update = { delta: wave(2 * length, 5 + index), weight, metrics: { loss: 1, correct: 2 } };
    return { ...rest, vector: encodeUpdate({ kernel, ...update, encoding: plan.encoding, metricNames }).vector };
  });
  const accepted: { readonly party: string; readonly hash: Sha256 }[] = [];
  for (const { party: name, vector } of vectors) accepted.push({ party: name, hash: await put(encodeUpdateFile(vector)) });

  const next = await aggregate({
    ...{ kernel, blobs, plan, strategy: createStrategy(spec.strategy), round: 2 },
    sums: plainSums({ kernel, blobs, plan, kind: "fit", accepted }),
    baseModel: await put(encodeSafetensors(base)),
    baseState: await put(encodeSafetensors(new Map([["control", { dtype: "F64" as const, shape: [length], data: control }]]))),
  });
  const model = decodeParameters(await blobs.read((await next.model.commit()).hash));
  const state = decodeSafetensors(await blobs.read((await next.state!.commit()).hash)).get("control")!;

  const accumulator = createAccumulator(kernel, vectors[0]!.vector.length, "I16");
  for (const { vector } of vectors) accumulator.add(vector);
  const means = decodeSum({ kernel, sum: accumulator.sum.slice(0, 2 * length), weight: 40, encoding: plan.encoding });
  const stepped = (name: "a" | "c", offset: number) => base.get(name)!.data.map((value, index) => value + 0.5 * means[offset + index]!);
  expect(model.get("a")!.data).toEqual(stepped("a", 0));
  expect(model.get("b")!.data).toEqual(base.get("b")!.data);
  expect(model.get("c")!.data).toEqual(stepped("c", 300_000));
  expect(state.data).toEqual(control.map((value, index) => value + 0.4 * means[length + index]!));
}, 20_000);
