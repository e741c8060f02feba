import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { allocateExamples, createDataset, type DatasetSchema, type PartyDataset } from "../data/index.ts";
import type { RunEvent } from "../federation/events.ts";
import { randomStream } from "../random/index.ts";
import { parseRunSpec, type RunSpec, type RunSpecInput } from "../spec/index.ts";
import { baselines, simulate } from "./index.ts";

const SCHEMA: DatasetSchema = { kind: "tensor", shape: [3], element: "f32", scale: 1, task: "classification", classes: 3 };

/** Rows whose class is their greatest value; `scale` spoils them when it is not finite. */
function rowsOf(party: string, count: number, scale = 1): PartyDataset {
  const random = randomStream(3, "rows", party);
  const draw = (size: number) => {
    const examples = allocateExamples(SCHEMA, size, { shared: true });
    for (let row = 0; row < size; row += 1) {
      const values = [0, 1, 2].map(() => random.uint32() / 2 ** 32);
      examples.targets[row] = values.indexOf(Math.max(...values));
      for (const [column, value] of values.entries()) examples.features[row * 3 + column] = value * scale;
    }
    return examples;
  };
  return { party, dataset: createDataset(SCHEMA, draw(count), draw(20)) };
}

function specOf(changes: Partial<RunSpecInput> = {}): RunSpec {
  return parseRunSpec({
    version: 1,
    name: "small",
    seed: 3,
    data: { dataset: "rows" },
    model: { kind: "mlp", hidden: [8] },
    train: { optimiser: { kind: "sgd", learningRate: 0.5 }, batchSize: 8, epochs: 2 },
    protection: { kind: "none" },
    rounds: 6,
    ...changes,
  });
}

const PARTIES = [rowsOf("birch", 60), rowsOf("ash", 50), rowsOf("cedar", 55)];

describe("a simulation", () => {
  it("tells the events of a run, learns, and gives the model with its card", async () => {
    const events: RunEvent[] = [];
    const result = await simulate({ spec: specOf(), parties: PARTIES, workers: 2, onEvent: (event) => events.push(event) });
    expect(events.map(({ number }) => number)).toEqual(events.map((_, index) => index + 1));
    expect(events.map(({ type }) => type)).toEqual(["run-started", ...Array.from({ length: 6 }, () => "round-committed"), "run-finished"]);
    expect(result.rounds.map(({ round, accepted, missed }) => ({ round, accepted, missed }))).toEqual(
      [1, 2, 3, 4, 5, 6].map((round) => ({ round, accepted: 3, missed: [] })),
    );
    expect(result.rounds.at(-1)!.evaluated!["accuracy"]).toBeGreaterThan(0.8);
    expect(createHash("sha256").update(result.file).digest("hex")).toBe(result.modelHash);
    expect(result.file).toHaveLength(result.plan.model.sizeBytes);
    expect(result.card).toMatchObject({
      model: { hash: result.modelHash },
      training: { rounds: 6 },
      data: {
        trainedRows: 165,
        parties: ["ash", "birch", "cedar"].map((name) => ({ name, rounds: 6 })),
      },
      lineage: { specHash: result.plan.specHash, planHash: result.plan.planHash },
      reproducible: true,
      dependsOnAnswers: false,
      labels: [],
    });
  });

  it.each([
    ["every round", { every: 1, metrics: ["loss", "correct", "f1"] }],
    ["every second round", { every: 2, metrics: ["loss", "correct"] }],
    ["never", { every: 0 }],
  ])("has the figures of an open run where they ride with the next round's updates: %s", async (_, evaluate) => {
    const open = await simulate({ spec: specOf({ evaluate }), parties: PARTIES, workers: 1 });
    const told: unknown[] = [];
    const hidden = await simulate({
      spec: specOf({ evaluate, protection: { kind: "secagg" } }),
      parties: PARTIES,
      workers: 1,
      onEvent: ({ type, payload }) => type === "round-judged" && told.push(payload),
    });
    expect(hidden.modelHash).toBe(open.modelHash);
    const figures = ({ round, fit, evaluated, saturated }: (typeof open.rounds)[number]) => ({ round, fit, evaluated, saturated });
    expect(hidden.rounds.map(figures)).toEqual(open.rounds.map(figures));
    expect(told).toEqual(
      open.rounds
        .filter(({ round, evaluated }) => round < 6 && evaluated !== null)
        .map(({ round, evaluated, modelHash }) => ({ round, rounds: 6, evaluated, modelHash })),
    );
  });

  it("tells the bytes of the answers that were added, of updates and of evaluations", async () => {
    const refused: unknown[] = [];
    const { rounds, plan } = await simulate({
      spec: specOf({ rounds: 1, cohort: { quorum: 2 } }),
      parties: [...PARTIES.slice(0, 2), rowsOf("spoilt", 40, Infinity)],
      workers: 1,
      onEvent: (event) => event.type === "answer-refused" && refused.push([event.payload.party, event.payload.kind]),
    });
    expect(refused).toEqual([
      ["spoilt", "fit"],
      ["spoilt", "evaluate"],
    ]);
    const { up, down } = plan.totalBytes;
    expect(rounds).toMatchObject([{ bytesUp: (up * 2) / 3, bytesDown: (down * 2) / 3 }]);
  });

  it("goes on without a party whose training fails, and names it", async () => {
    const events: RunEvent[] = [];
    const parties = [...PARTIES.slice(0, 2), rowsOf("spoilt", 40, Infinity)];
    const { rounds, card, plan } = await simulate({
      spec: specOf({ rounds: 2, cohort: { quorum: 2 }, evaluate: { every: 0 } }),
      parties,
      workers: 1,
      onEvent: (event) => events.push(event),
    });
    expect(rounds.map(({ accepted, missed }) => ({ accepted, missed }))).toEqual([1, 2].map(() => ({ accepted: 2, missed: ["spoilt"] })));
    expect(events.filter(({ type }) => type === "answer-refused").map(({ payload }) => payload)).toMatchObject(
      [1, 2].map((round) => ({ round, attempt: 1, kind: "fit", party: "spoilt", code: "TRAINER_FAILED" })),
    );
    expect(plan.dependsOnAnswers).toBe(true);
    expect(card).toMatchObject({
      data: {
        trainedRows: 110,
        parties: [
          { name: "ash", rounds: 2 },
          { name: "birch", rounds: 2 },
          { name: "spoilt", trainExamples: 40, rounds: 0 },
        ],
      },
      reproducible: true,
      dependsOnAnswers: true,
      labels: [expect.stringContaining("may close with 2 of 3 updates"), "In 2 of 2 rounds not all were added whom the seed draws first."],
    });
  });

  it("gives the failing party's rows no part in the sum", async () => {
    const spec = specOf({ rounds: 2, cohort: { quorum: 2 }, evaluate: { every: 0 }, encoding: { maxWeight: 1000 }, data: { dataset: "rows" } });
    const without = await simulate({ spec, parties: PARTIES.slice(0, 2), workers: 2 });
    const beside = await simulate({ spec, parties: [...PARTIES.slice(0, 2), rowsOf("spoilt", 40, Infinity)], workers: 2 });
    expect(beside.modelHash).toBe(without.modelHash);
  });

  it("fails when the quorum cannot be had, after its attempts, with the parties' names", async () => {
    const events: RunEvent[] = [];
    const spec = specOf({ cohort: { attempts: 2 } });
    const failing = simulate({ spec, parties: [...PARTIES, rowsOf("spoilt", 40, Infinity)], workers: 1, onEvent: (event) => events.push(event) });
    await expect(failing).rejects.toMatchObject({
      code: "QUORUM_NOT_REACHED",
      message: expect.stringContaining("quorum of 4; these failed: spoilt.") as string,
    });
    expect(events.filter(({ type }) => type === "round-abandoned").map(({ payload }) => payload)).toEqual(
      [1, 2].map((attempt) => ({ round: 1, attempt, missing: ["spoilt"] })),
    );
  });

  it("needs one of the built-in networks, and parties that can run the spec", async () => {
    await expect(simulate({ spec: specOf({ model: { kind: "tensors", tensors: { w: [1] } } }), parties: PARTIES })).rejects.toMatchObject({
      code: "SPEC_REFUSED",
    });
    await expect(simulate({ spec: specOf(), parties: [...PARTIES, rowsOf("gappy", 2, Number.NaN)] })).rejects.toMatchObject({
      code: "SPEC_REFUSED",
      message: expect.stringContaining('missing cells at gappy in "value 0" (22), "value 1" (22), "value 2" (22)') as string,
    });
    await expect(simulate({ spec: specOf({ cohort: { size: 9 } }), parties: PARTIES })).rejects.toMatchObject({
      code: "SPEC_REFUSED",
      message: expect.stringContaining("cohort.size") as string,
    });
  });

  it("trains with the build fma where the spec gives up the promise of equal bits, and labels what it gives", async () => {
    await expect(simulate({ spec: specOf(), parties: PARTIES, kernel: "fma" })).rejects.toMatchObject({
      code: "SPEC_REFUSED",
      details: { refusals: [expect.objectContaining({ edits: [{ path: "reproducibility", value: "any-kernel" }] })] },
    });
    const spec = specOf({ reproducibility: "any-kernel", rounds: 2 });
    const [fused, baseline] = await Promise.all([
      simulate({ spec, parties: PARTIES, workers: 1, kernel: "fma" }),
      simulate({ spec, parties: PARTIES, workers: 1 }),
    ]);
    expect(baseline.card).toMatchObject({ reproducible: true, labels: [] });
    expect(fused.card).toMatchObject({
      reproducible: false,
      labels: [expect.stringContaining("Not reproducible across hosts: fma-")],
      lineage: { kernelBuild: expect.stringMatching(/^fma-[0-9a-f]{12}$/) as string },
    });
    expect(fused.rounds.at(-1)!.evaluated!["loss"]).toBeCloseTo(baseline.rounds.at(-1)!.evaluated!["loss"]!, 4);
  });

  it("ends within a round when its signal aborts, whatever its threads are at", async () => {
    const stop = new AbortController();
    const running = simulate({
      spec: specOf({ protection: { kind: "secagg" } }),
      parties: PARTIES,
      workers: 2,
      signal: stop.signal,
      onEvent: ({ type }) => type === "run-started" && setImmediate(() => stop.abort()),
    });
    await expect(running).rejects.toMatchObject({ code: "INTERRUPTED", message: expect.stringContaining("in round 1") as string });
  });

  it("ends when its signal aborts", async () => {
    const stop = new AbortController();
    const running = simulate({
      spec: specOf({ rounds: 1000 }),
      parties: PARTIES,
      workers: 1,
      signal: stop.signal,
      onEvent: ({ type }) => type === "round-committed" && stop.abort(),
    });
    await expect(running).rejects.toMatchObject({ code: "INTERRUPTED", message: expect.stringContaining("before round 2") as string });
  });
});

describe("baselines", () => {
  it("are what each reaches alone, and what all would reach who pooled their rows, the same with any number of workers", async () => {
    const spec = specOf();
    const { plan } = await simulate({ spec: specOf({ rounds: 1 }), parties: PARTIES, workers: 1 });
    const [one, two] = await Promise.all([1, 2].map((workers) => baselines({ spec, plan, parties: PARTIES, workers })));
    expect(two).toEqual(one);
    expect(one!.localOnly.parties.map(({ party }) => party)).toEqual(["birch", "ash", "cedar"]);
    const scores = one!.localOnly.parties.map(({ score }) => score);
    expect(one!.localOnly.best).toBe(Math.max(...scores));
    expect(one!.localOnly.mean).toBeCloseTo(scores.reduce((sum, score) => sum + score, 0) / 3, 12);
    expect(one!.pooled).toBeGreaterThan(0.85);
  });
});
