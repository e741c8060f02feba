import { beforeAll, describe, expect, it } from "vitest";
import { allocateExamples, createDataset, type Dataset, type DatasetSchema } from "../data/index.ts";
import { initialModel } from "../models/index.ts";
import { type Kernel, loadKernel } from "../nn/index.ts";
import { compileOrThrow, parseRunSpec, type RunSpecInput } from "../spec/index.ts";
import { flattenParameters, parameterLayout } from "../tensor/index.ts";
import { networkTrainer, type TrainingTask } from "./index.ts";

const SCHEMA: DatasetSchema = { kind: "tensor", shape: [2], element: "f32", scale: 1, task: "classification", classes: 2 };

function dataset(testCount: number, missing = false): Dataset {
  const draw = (count: number) => {
    const examples = allocateExamples(SCHEMA, count);
    examples.features.set(Array.from({ length: count * 2 }, (_, index) => ((index * 37) % 19) / 10 - 1));
    examples.targets.set(Array.from({ length: count }, (_, row) => (examples.features[row * 2]! > 0 ? 1 : 0)));
    if (missing) examples.features[3] = NaN;
    return examples;
  };
  return createDataset(SCHEMA, draw(24), testCount === 0 ? undefined : draw(testCount));
}

let kernel: Kernel;
beforeAll(async () => {
  kernel = await loadKernel();
});

function taskFor(data: Dataset, changes: Partial<RunSpecInput> = {}, part: Partial<TrainingTask> = {}): TrainingTask {
  const spec = parseRunSpec({
    version: 1,
    name: "small",
    seed: 1,
    data: { dataset: "rows" },
    model: { kind: "mlp", hidden: [3] },
    train: { optimiser: { kind: "sgd", learningRate: 0.1 }, batchSize: 4 },
    protection: { kind: "none" },
    rounds: 1,
    ...changes,
  });
  const { train, test, contentHash, schema } = data;
  const facts = { schema, trainExamples: train.count, testExamples: test?.count ?? 0, contentHash };
  const plan = compileOrThrow(spec, { kernelBuild: kernel.build, parties: [{ name: "ash", kernelBuild: kernel.build, dataset: facts }] });
  const layout = parameterLayout(plan.model.tensors.map(({ name, shape }) => [name, shape]));
  const parameters = flattenParameters(initialModel(plan, spec.seed), layout);
  return { parameters, layout, spec, plan, party: "ash", planned: plan.parties[0]!, round: 1, config: {}, ...part };
}

function trainerOf(data: Dataset, sync = false) {
  return networkTrainer({ kernel, sync, dataset: () => Promise.resolve(data) });
}

describe("the built-in trainer", () => {
  it("gives the same bits every time, with and without pauses, and leaves the round's parameters alone", async () => {
    const data = dataset(6);
    const task = taskFor(data, { train: { optimiser: { kind: "adam", learningRate: 0.01 }, batchSize: 5, epochs: 3 } });
    const before = task.parameters.slice();
    const first = await trainerOf(data).fit(task);
    const again = trainerOf(data, true);
    await again.fit({ ...task, round: 2 }); // what was trained before does not matter
    expect(await again.fit(task)).toEqual(first);
    expect(first.weight).toBe(24);
    expect(task.parameters).toEqual(before);
    expect(first.parameters).not.toEqual(before);
  });

  it("shuffles anew for another seed, party or round", async () => {
    const data = dataset(0);
    const trainer = trainerOf(data);
    const base = taskFor(data);
    const others = [base, { ...base, round: 2 }, { ...base, spec: { ...base.spec, seed: 2 } }, { ...base, party: "birch" }];
    const results = await Promise.all(others.map((task) => trainer.fit(task)));
    expect(new Set(results.map(({ parameters }) => parameters.join())).size).toBe(others.length);
  });

  it("gives dropout a stream of its own in each round", async () => {
    const data = dataset(0);
    const task = taskFor(data, { train: { optimiser: { kind: "sgd", learningRate: 0.1 }, batchSize: 24 } });
    const { network } = task.plan.model;
    const layers = [{ kind: "dropout", rate: 0.5 } as const, ...network!.layers];
    const dropping = { ...task, plan: { ...task.plan, model: { ...task.plan.model, network: { ...network!, layers } } } };
    const fit = async (round: number) => (await trainerOf(data).fit({ ...dropping, round })).parameters;
    expect(await fit(1)).toEqual(await fit(1));
    // One batch holds all rows, so the order of rows changes the last bits at most: what differs is the mask.
    const [first, second] = [await fit(1), await fit(2)];
    expect(Math.max(...first.map((value, index) => Math.abs(value - second[index]!)))).toBeGreaterThan(1e-3);
  });

  it("learns at the rate that the schedule has for the round", async () => {
    const data = dataset(0);
    const schedule = { kind: "step", every: 1, factor: 0.5 } as const;
    const fit = async (learningRate: number, changes: Partial<RunSpecInput["train"]>, round: number) =>
      (
        await trainerOf(data).fit(
          taskFor(data, { train: { optimiser: { kind: "adamw", learningRate }, batchSize: 8, ...changes }, rounds: 3 }, { round }),
        )
      ).parameters;
    expect(await fit(0.1, { schedule }, 1)).toEqual(await fit(0.1, {}, 1));
    expect(await fit(0.1, { schedule }, 3)).toEqual(await fit(0.025, {}, 3));
    expect(await fit(0.1, { schedule }, 3)).not.toEqual(await fit(0.1, {}, 3));
  });

  it("stays nearer to the round's model when the strategy pulls", async () => {
    const data = dataset(0);
    const task = taskFor(data, { train: { optimiser: { kind: "sgd", learningRate: 0.1 }, batchSize: 4, epochs: 10 } });
    const distance = async (config: TrainingTask["config"]): Promise<number> => {
      const { parameters } = await trainerOf(data).fit({ ...task, config });
      return Math.hypot(...parameters.map((value, index) => value - task.parameters[index]!));
    };
    const [free, pulled] = [await distance({}), await distance({ proximalMu: 2 })];
    expect(pulled).toBeLessThan(free * 0.7);
    expect(pulled).toBeGreaterThan(0);
    expect(await distance({ proximalMu: 0 })).toBe(free);
  });

  it("adds the strategy's correction to the gradient of every step", async () => {
    const data = dataset(0);
    // One batch of all rows: one step of rate 0.1.
    const task = taskFor(data, { train: { optimiser: { kind: "sgd", learningRate: 0.1 }, batchSize: 24 } });
    const correction = task.parameters.map((_, index) => (index % 2 === 0 ? 1 : -0.5));
    const trainer = trainerOf(data);
    const plain = (await trainer.fit(task)).parameters.slice();
    const corrected = (await trainer.fit({ ...task, correction })).parameters;
    for (const [index, value] of corrected.entries()) expect(value - plain[index]!).toBeCloseTo(-0.1 * correction[index]!, 6);
    expect((await trainer.fit(task)).parameters).toEqual(plain);
    await expect(trainer.fit({ ...task, correction: new Float32Array(3) })).rejects.toMatchObject({ code: "USAGE" });
    await expect(trainer.fit({ ...task, correction, config: { proximalMu: 1 } })).rejects.toMatchObject({ code: "USAGE" });
  });

  it("judges held-out rows, and says zero rows where there are none", async () => {
    const data = dataset(6);
    const { weight, metrics } = await trainerOf(data).evaluate(taskFor(data));
    expect(weight).toBe(6);
    expect(metrics["correct"]).toBeOneOf([0, 1, 2, 3, 4, 5, 6]);
    expect(metrics["loss"]).toBeGreaterThan(0);
    const none = dataset(0);
    expect(await trainerOf(none).evaluate(taskFor(none))).toEqual({ weight: 0, metrics: { loss: 0, correct: 0 } });
  });

  it("refuses rows that are not those which were registered, rows with missing cells, and models that are not its own", async () => {
    const data = dataset(6);
    await expect(trainerOf(dataset(5)).fit(taskFor(data))).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringContaining("its content changed") as string,
    });
    // A coordinator that says of the same rows that they are of another form would have other things counted of them.
    const task = taskFor(data);
    await trainerOf(data).fit(task);
    const other = { ...task, plan: { ...task.plan, schema: { ...SCHEMA, classes: 3 } } };
    for (const asked of [trainerOf(data).fit(other), trainerOf(data).evaluate(other), trainerOf(data).statistics!(other)]) {
      await expect(asked).rejects.toMatchObject({ code: "DATA_INVALID", message: expect.stringContaining("schema is not that") as string });
    }
    const holes = dataset(0, true);
    await expect(trainerOf(holes).fit(taskFor(holes))).rejects.toMatchObject({ code: "DATA_INVALID" });
    await expect(trainerOf(data).fit(taskFor(data, { model: { kind: "tensors", tensors: { w: [2] } } }))).rejects.toMatchObject({
      code: "TRAINER_FAILED",
      message: expect.stringContaining("trainer of the party's own") as string,
    });
  });
});
