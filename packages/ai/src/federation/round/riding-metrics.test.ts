import { expect, it } from "vitest";
import type { TaskPlan } from "../../spec/index.ts";
import { judgesBase, ridingSumNames, ridingSums, splitExtras } from "./riding-metrics.ts";

const PLAN: Pick<TaskPlan, "protection" | "metricNames" | "schema" | "model"> = {
  protection: { metricsRide: true } as NonNullable<TaskPlan["protection"]>,
  metricNames: ["loss", "weight"],
  schema: { kind: "tensor", shape: [2], element: "f32", scale: 1, task: "classification", classes: 2 },
  model: { tensors: [] } as unknown as TaskPlan["model"],
};

it("takes apart what rode with an update, whatever metrics are called", () => {
  const rode = ridingSums(PLAN, { weight: 7, metrics: { loss: 1.5, weight: 3 } });
  expect(Object.keys(rode)).toEqual(ridingSumNames(PLAN));
  const update = { weight: 20, metrics: { loss: 9, weight: 4 }, saturated: 2 };
  expect(splitExtras(PLAN, { ...update, metrics: { ...update.metrics, ...rode } })).toEqual({
    update,
    base: { weight: 7, metrics: { loss: 1.5, weight: 3 }, saturated: 0 },
  });
});

it("has zeros in rounds whose base nobody judges, and nothing where metrics have phases of their own", () => {
  expect(Object.values(ridingSums(PLAN, undefined))).toEqual([0, 0, 0]);
  expect([1, 2, 3, 4, 5].filter((round) => judgesBase(PLAN, 2, round))).toEqual([3, 5]);
  const { protection: _, ...open } = PLAN;
  expect(ridingSumNames(open)).toEqual([]);
  expect(judgesBase({}, 1, 2)).toBe(false);
  const extras = { weight: 1, metrics: { loss: 2 }, saturated: 0 };
  expect(splitExtras(open, extras)).toEqual({ update: extras, base: undefined });
});
