/**
 * Held-out metrics of a protected run ride with the next round's updates: each party of round r + 1 judges the model that it starts from, which is round r's, and
 * what it finds are coordinates of its update. A round is one sum then, not two, and nobody sees a party's figures. The last round's model has nobody to ride with,
 * and is judged by an evaluation of its own.
 *
 * @module
 */
import type { UpdateExtras } from "../../aggregation/index.ts";
import type { TaskPlan } from "../../spec/index.ts";
import { heldOutSumNames } from "./held-out-sums.ts";

/** Before the names of sums that are of the base model, not of the update: no name of a metric has a colon. */
const PREFIX = "base:";
const WEIGHT = "base:#";

type Riding = Pick<TaskPlan, "protection" | "metricNames" | "heldOutMetrics" | "schema" | "model">;

/** Sums behind those of an update: held-out rows, and sums over them. Empty where metrics have phases of their own. */
export function ridingSumNames(plan: Riding): readonly string[] {
  if (plan.protection?.metricsRide !== true) return [];
  return [WEIGHT, ...[...plan.metricNames, ...heldOutSumNames(plan)].map((name) => PREFIX + name)];
}

/** Whether the updates of a round say how the model does that they start from. */
export function judgesBase(plan: Pick<TaskPlan, "protection">, every: number, round: number): boolean {
  return plan.protection?.metricsRide === true && round > 1 && (round - 1) % every === 0;
}

/** What a party found, as its update has it; zeros where it judged nothing. */
export function ridingSums(plan: Riding, judged: Pick<UpdateExtras, "weight" | "metrics"> | undefined): Readonly<Record<string, number>> {
  const found = (name: string) => (name === WEIGHT ? judged?.weight : judged?.metrics[name.slice(PREFIX.length)]);
  return Object.fromEntries(ridingSumNames(plan).map((name) => [name, found(name) ?? 0]));
}

/** The sums of updates, and those that rode with them; `base` is absent where none can. */
export function splitExtras(plan: Riding, extras: UpdateExtras): { readonly update: UpdateExtras; readonly base: UpdateExtras | undefined } {
  const names = ridingSumNames(plan);
  if (names.length === 0) return { update: extras, base: undefined };
  const rode = new Set(names);
  const { metrics, weight, saturated } = extras;
  return {
    update: { weight, saturated, metrics: Object.fromEntries(Object.entries(metrics).filter(([name]) => !rode.has(name))) },
    base: {
      weight: metrics[WEIGHT]!,
      saturated: 0,
      metrics: Object.fromEntries(names.filter((name) => name !== WEIGHT).map((name) => [name.slice(PREFIX.length), metrics[name]!])),
    },
  };
}
