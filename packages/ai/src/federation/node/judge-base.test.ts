import { expect, it } from "vitest";
import type { Trainer, TrainingTask } from "../../training/index.ts";
import { judgeBase } from "./judge-base.ts";

const task = {
  spec: { evaluate: { every: 1 } },
  plan: { protection: { metricsRide: true }, metricNames: ["loss"], encoding: { maxWeight: 50 } },
  party: "ash",
  round: 2,
} as unknown as TrainingTask;

const judging = (weight: number): Trainer => ({
  kernelBuild: "",
  fit: () => Promise.reject(new Error("Nobody asked for a fit.")),
  evaluate: () => Promise.resolve({ weight, metrics: { loss: 3 } }),
});

it("is what the party finds on its held-out rows, and zeros in a round whose base nobody judges", async () => {
  expect(await judgeBase(judging(7), task)).toEqual({ "base:#": 7, "base:loss": 3 });
  expect(await judgeBase(judging(7), { ...task, round: 1 })).toEqual({ "base:#": 0, "base:loss": 0 });
});

it("costs the party its update where it judged on no row: the sum would show more of the others", async () => {
  await expect(judgeBase(judging(0), task)).rejects.toMatchObject({
    code: "TRAINER_FAILED",
    message: expect.stringContaining("0 examples") as string,
  });
});
