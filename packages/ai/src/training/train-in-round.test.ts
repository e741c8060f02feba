import { describe, expect, it } from "vitest";
import { parseRunSpec, runSpecHash, type RunSpecInput } from "../spec/index.ts";
import { trainInRound } from "./index.ts";

type TrainInput = RunSpecInput["train"];

function specOf(train: Partial<TrainInput>) {
  return parseRunSpec({
    version: 1,
    name: "x",
    seed: 1,
    data: { dataset: "rows" },
    model: { kind: "linear" },
    train: { optimiser: { kind: "sgd", learningRate: 0.5 }, ...train },
    rounds: 8,
  });
}

function rates(train: Partial<TrainInput>, rounds = 8): readonly number[] {
  const options = specOf(train).train;
  return Array.from({ length: rounds }, (_, index) => trainInRound(options, index + 1, rounds).optimiser.learningRate);
}

describe("the learning rate of a round", () => {
  it("is the optimiser's without a schedule, and with one that is constant", () => {
    expect(rates({})).toEqual(Array.from({ length: 8 }, () => 0.5));
    expect(rates({ schedule: { kind: "constant" } })).toEqual(rates({}));
  });

  it("falls in steps, the first of which comes after `every` rounds", () => {
    expect(rates({ schedule: { kind: "step", every: 3, factor: 0.5 } })).toEqual([0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125]);
  });

  it("falls along a cosine that is as long as the run unless it is told otherwise, and stays on the floor", () => {
    const wave = (position: number, length: number, floor: number) =>
      0.5 * (floor + ((1 - floor) * (1 + Math.cos((Math.PI * position) / length))) / 2);
    for (const [index, rate] of rates({ schedule: { kind: "cosine" } }).entries()) expect(rate).toBeCloseTo(wave(index, 8, 0), 14);
    const short = rates({ schedule: { kind: "cosine", length: 4, floor: 0.1 } });
    for (const [index, rate] of short.entries()) expect(rate).toBeCloseTo(wave(Math.min(index, 4), 4, 0.1), 14);
    expect(rates({ schedule: { kind: "cosine" } })[0]).toBe(0.5);
  });

  it("leaves everything else of the section as it is, and no schedule that could count twice", () => {
    const train = specOf({ optimiser: { kind: "adamw", learningRate: 0.1 }, schedule: { kind: "step", every: 1, factor: 0.5 }, epochs: 3 }).train;
    expect(trainInRound(train, 2, 8)).toEqual({
      optimiser: { kind: "adamw", learningRate: 0.05, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 },
      batchSize: 32,
      epochs: 3,
    });
  });

  it("is part of the spec's hash, which a spec without a schedule keeps", () => {
    expect(specOf({}).train).not.toHaveProperty("schedule");
    const hashes = [{}, { schedule: { kind: "cosine" } }, { schedule: { kind: "cosine", floor: 0.5 } }] satisfies readonly Partial<TrainInput>[];
    expect(new Set(hashes.map((train) => runSpecHash(specOf(train)))).size).toBe(3);
  });
});
