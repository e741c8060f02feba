import { describe, expect, it } from "vitest";
import { compileOrThrow, parseRunSpec, type RunSpecInput } from "../../spec/index.ts";
import { parameterLayout } from "../../tensor/index.ts";
import type { Trainer, TrainingTask } from "../../training/index.ts";
import { fit } from "./fit.ts";

const DATASET = { schema: { kind: "opaque" } as const, trainExamples: 10, testExamples: 0, contentHash: "0".repeat(64) };

/** A task for a model of a shared tensor `a`, a local one `b` and a shared one `c`: 1, 2, 3, 4, 5. */
function taskOf(strategy: NonNullable<RunSpecInput["strategy"]>, round = 1): TrainingTask {
  const spec = parseRunSpec({
    version: 1,
    name: "small",
    seed: 1,
    data: { dataset: "rows" },
    model: { kind: "tensors", tensors: { a: [1], b: [2], c: [2] } },
    train: { optimiser: { kind: "sgd", learningRate: 0.5 }, schedule: { kind: "step", every: 1, factor: 0.5 }, batchSize: 5 },
    strategy,
    protection: { kind: "none" },
    rounds: 3,
  });
  const plan = compileOrThrow(spec, { kernelBuild: "build", parties: [{ name: "ash", kernelBuild: "own", dataset: DATASET }] });
  const layout = parameterLayout(plan.model.tensors.map(({ name, shape }) => [name, shape]));
  return { parameters: Float32Array.of(1, 2, 3, 4, 5), layout, spec, plan, party: "ash", planned: plan.parties[0]!, round, config: {} };
}

/** Moves every parameter up by its place; says what it was told of gradients. */
function trainerOf(seen: (Float32Array | undefined)[] = []): Trainer {
  return {
    kernelBuild: "own",
    fit({ parameters, correction }) {
      seen.push(correction);
      return Promise.resolve({ parameters: parameters.map((value, index) => value + index + 1), weight: 10, metrics: { loss: 1, correct: 2 } });
    },
    evaluate: () => Promise.resolve({ weight: 0, metrics: {} }),
  };
}

describe("a fit", () => {
  it("uploads what is shared and keeps what is not", async () => {
    expect(await fit(trainerOf(), taskOf({ kind: "fedavg" }))).toEqual({
      delta: Float32Array.of(1, 2, 3, 4, 5),
      weight: 10,
      metrics: { loss: 1, correct: 2 },
    });
    expect(await fit(trainerOf(), taskOf({ kind: "fedavg", local: ["b"] }))).toEqual({
      delta: Float32Array.of(1, 4, 5),
      weight: 10,
      metrics: { loss: 1, correct: 2 },
      kept: Float32Array.of(4, 6),
    });
  });

  it("may leave the change in the memory of the model", async () => {
    const task = taskOf({ kind: "fedavg", local: ["b"] });
    const { delta } = await fit(trainerOf(), task, { into: task.parameters });
    expect([delta, delta.buffer]).toEqual([Float32Array.of(1, 4, 5), task.parameters.buffer]);
  });

  it("that diverged says so, and what mends it", async () => {
    const diverged: Trainer = {
      ...trainerOf(),
      fit: ({ parameters }) => Promise.resolve({ parameters, weight: 10, metrics: { loss: NaN, correct: 2 } }),
    };
    await expect(fit(diverged, taskOf({ kind: "fedavg" }))).rejects.toMatchObject({
      code: "TRAINER_FAILED",
      message: expect.stringMatching(/of ash diverged: the sum "loss" is NaN\. A lower learning rate/) as string,
    });
  });

  it("adds the strategy's sums", async () => {
    expect((await fit(trainerOf(), taskOf({ kind: "fednova" }))).metrics).toEqual({ loss: 1, correct: 2, "fednova.localWork": 10 });
  });

  it("corrects gradients of what is shared, and sends and keeps the strategy's vectors, at the rate of the round", async () => {
    const seen: (Float32Array | undefined)[] = [];
    const task = taskOf({ kind: "scaffold", local: ["b"] }, 2);
    const given = { kept: Float32Array.of(7, 7, 0.5, 0.25, 0), server: { control: Float64Array.of(1, 2, 3) } };
    const { delta, kept } = await fit(trainerOf(seen), task, given);
    expect(seen).toEqual([Float32Array.of(0.5, 0, 0, 1.75, 3)]);
    // Two steps of 1/4: −c − 2·Δ.
    expect(delta).toEqual(Float32Array.of(1, 4, 5, -1 - 2, -2 - 8, -3 - 10));
    expect(kept).toEqual(Float32Array.of(4, 6, 0.5 - 3, 0.25 - 10, -13));
    // Before the first round that counts, all control variates are zero.
    const first = await fit(trainerOf(seen), taskOf({ kind: "scaffold" }));
    expect(seen[1]).toEqual(new Float32Array(5));
    expect(first.delta).toEqual(Float32Array.of(1, 2, 3, 4, 5, -1, -2, -3, -4, -5));
  });
});
