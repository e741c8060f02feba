import { beforeAll, describe, expect, it } from "vitest";
import { allocateExamples, concatenateExamples, createDataset, type DatasetSchema, type PartyDataset } from "../data/index.ts";
import { evaluateMetrics } from "../metrics/index.ts";
import { loadModel } from "../models/index.ts";
import { createNetwork, type Kernel, loadKernel } from "../nn/index.ts";
import { randomStream } from "../random/index.ts";
import { parseRunSpec, type RunSpecInput } from "../spec/index.ts";
import { simulate, type SimulationResult } from "./index.ts";

/** Rows of some classes that overlap, other rows for every name. */
function rowsOf(party: string, classes: number, counts: readonly [train: number, test: number]): PartyDataset {
  const schema: DatasetSchema = { kind: "tensor", shape: [2], element: "f32", scale: 1, task: "classification", classes };
  const random = randomStream(5, "rows", party);
  const draw = (count: number) => {
    const examples = allocateExamples(schema, count, { shared: true });
    for (let row = 0; row < count; row += 1) {
      examples.targets[row] = random.uint32() % classes;
      for (let column = 0; column < 2; column += 1) {
        examples.features[row * 2 + column] = (examples.targets[row] === column ? 0.5 : 0) + random.uint32() / 2 ** 32 - 0.5;
      }
    }
    return examples;
  };
  return { party, dataset: createDataset(schema, draw(counts[0]), counts[1] === 0 ? undefined : draw(counts[1])) };
}

let kernel: Kernel;
beforeAll(async () => {
  kernel = await loadKernel();
});

const NAMES = ["auc", "f1", "calibration"];

async function run(classes: number, changes: Partial<RunSpecInput> = {}) {
  const parties = [rowsOf("ash", classes, [40, 31]), rowsOf("birch", classes, [50, 0]), rowsOf("cedar", classes, [30, 17])];
  const metrics = ["loss", "correct", ...NAMES.slice(classes === 2 ? 0 : 1)];
  const spec = parseRunSpec({
    version: 1,
    name: "small",
    seed: 3,
    data: { dataset: "rows" },
    model: { kind: classes === 2 ? "logistic" : "softmax" },
    train: { optimiser: { kind: "sgd", learningRate: 0.5 }, batchSize: 8 },
    protection: { kind: "none" },
    rounds: 3,
    evaluate: { metrics },
    ...changes,
  });
  return { parties, names: metrics.slice(2), result: await simulate({ spec, parties, workers: 2 }) };
}

/** The same figures of the run's model, where all held-out rows are at hand. */
function atHand(parties: readonly PartyDataset[], names: readonly string[], { plan, file }: SimulationResult) {
  const { schema } = parties[0]!.dataset;
  const test = concatenateExamples(
    schema,
    parties.flatMap(({ dataset }) => dataset.test ?? []),
  );
  const network = createNetwork(kernel, plan.model.network!, { maxBatch: 64 });
  network.load(loadModel(file, plan.model.tensors).parameters);
  return evaluateMetrics(names, network.predict(test.features), test.targets, { classes: schema.kind === "tensor" ? schema.classes : undefined });
}

describe("a simulated run's metrics", () => {
  it.each([
    ["two classes, one output", 2, {}],
    ["two classes, two outputs", 2, { model: { kind: "softmax" } }],
    ["three classes", 3, {}],
    ["coordinates of 8 bits", 2, { encoding: { bits: 8 } }],
  ] as const)("are those of all held-out rows together: %s", async (_name, classes, changes) => {
    const { parties, names, result } = await run(classes, changes);
    const evaluated = result.rounds.at(-1)!.evaluated!;
    expect(Object.keys(evaluated)).toEqual(["loss", "accuracy", ...names]);
    const wanted = atHand(parties, names, result);
    for (const name of names) expect(evaluated[name]).toBeCloseTo(wanted[name]!, 5);
    if (classes === 2) expect(evaluated["auc"]).toBe(wanted["auc"]);
    expect(result.rounds.map(({ fit }) => Object.keys(fit))).toEqual([1, 2, 3].map(() => ["loss", "accuracy"]));
    const subjects = classes === 2 ? { auc: "class 1", f1: "class 1" } : { f1: "3 classes, their mean" };
    expect(result.card).toMatchObject({ metrics: { evaluated, subjects } });
  });

  it("change nothing else: neither the model nor the means", async () => {
    const [{ result: more }, { result: plain }] = [await run(2), await run(2, { evaluate: {} })];
    expect(more.modelHash).toBe(plain.modelHash);
    for (const [index, { fit, evaluated }] of plain.rounds.entries()) {
      expect(more.rounds[index]).toMatchObject({ fit, evaluated });
      expect(Object.keys(evaluated!)).toEqual(["loss", "accuracy"]);
    }
  });

  it("leave out what the rows do not tell", async () => {
    const one = rowsOf("ash", 2, [20, 5]);
    one.dataset.test!.targets.fill(0);
    const parties = [{ party: "ash", dataset: createDataset(one.dataset.schema, one.dataset.train, one.dataset.test) }];
    const spec = parseRunSpec({
      ...{ version: 1, name: "small", seed: 3, data: { dataset: "rows" }, model: { kind: "logistic" }, protection: { kind: "none" }, rounds: 1 },
      train: { optimiser: { kind: "sgd", learningRate: 0.5 } },
      evaluate: { metrics: ["auc", "calibration"] },
    });
    const { rounds } = await simulate({ spec, parties, workers: 1 });
    expect(rounds[0]!.evaluated).toEqual({ calibration: expect.any(Number) as number });
    expect(rounds[0]!.fit).toEqual({});
  });
});
