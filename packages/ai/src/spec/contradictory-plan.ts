import { canonicalJson, type Json, type Refusal } from "@ciphernx/core/spec";
import { columnSteps, preparedLength } from "../data/preprocess/index.ts";
import { modelShape } from "../models/index.ts";
import { createStrategy } from "../strategy/index.ts";
import { chooseLocal } from "./choose-local.ts";
import { chooseMetrics } from "./choose-metrics.ts";
import type { TaskPlan } from "./plan.ts";
import { type PlannedProtection, planProtection } from "./plan-protection.ts";
import type { RunSpec } from "./run-spec.ts";

/**
 * What of a plan is not what its spec says, in words; undefined when nothing is. A party signs and agrees to the spec, but trains, counts
 * and encodes by the plan: a coordinator that writes another plan gets no answer. What no spec says (who the parties are, the largest
 * weight when it is found out) is not looked at. Pure.
 */
export function contradictoryPlan(spec: RunSpec, plan: TaskPlan): string | undefined {
  const refusals: Refusal[] = [];
  const steps = spec.preprocess === undefined ? undefined : columnSteps(spec.preprocess, plan.schema, refusals);
  const shape = modelShape(spec.model, plan.schema, steps && preparedLength(steps));
  if ("refusals" in shape) return `the model: ${shape.refusals.map(({ reason }) => reason).join(" ")}`;
  const metrics = chooseMetrics(spec, plan.schema, shape, refusals);
  const local = chooseLocal(spec, shape, refusals);
  const [refused] = refusals;
  if (refused !== undefined) return `${refused.path}: ${refused.reason}`;
  const { sums = [], vectors = [] } = createStrategy(spec.strategy).party ?? {};
  const { range, bits, rounding, maxWeight } = spec.encoding;
  const { model, encoding } = plan;
  let protection: PlannedProtection | undefined;
  try {
    protection = planProtection(spec, {
      encoding,
      parties: plan.partyTree.size,
      size: plan.cohort.size,
      isJudgedByAll: plan.protection?.metricsRide === true,
    });
  } catch (error) {
    if (error instanceof RangeError) return `protection: ${error.message}`;
    throw error;
  }
  const pairs: readonly (readonly [what: string, planned: unknown, specified: unknown])[] = [
    ["rounds", plan.rounds, spec.rounds],
    ["encoding.range", encoding.range, range],
    ["encoding.bits", encoding.bits, bits],
    ["encoding.rounding", encoding.rounding, rounding],
    ["encoding.maxWeight", encoding.maxWeight, maxWeight === "auto" ? encoding.maxWeight : maxWeight],
    ["protection", plan.protection, protection],
    ["preprocess", plan.preprocess?.steps, steps],
    ["model.tensors", model.tensors, shape.tensors],
    ["model", model.network, shape.network],
    ["strategy.local", model.local ?? [], local],
    ["evaluate.metrics", [plan.metricNames, plan.heldOutMetrics ?? []], [metrics.reported, metrics.heldOut]],
    ["strategy", [plan.strategySums ?? [], plan.strategyVectors ?? []], [sums, vectors]],
  ];
  const other = pairs.find(([, planned, specified]) => form(planned) !== form(specified));
  if (other === undefined) return undefined;
  const [what, planned, specified] = other;
  return typeof specified === "object" || specified === undefined
    ? `${what} is not what the spec makes of the schema`
    : `${what} is ${JSON.stringify(planned)}, the spec's ${JSON.stringify(specified)}`;
}

function form(value: unknown): string {
  return value === undefined ? "" : canonicalJson(JSON.parse(JSON.stringify(value)) as Json);
}
