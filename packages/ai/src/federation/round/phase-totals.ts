import type { UpdateExtras } from "../../aggregation/index.ts";
import { metricTask, metricValues } from "../../metrics/index.ts";
import type { RunPlan } from "../../spec/index.ts";
import type { PhaseTotals } from "./run-round.ts";

/**
 * What the added sums of evaluations come to: those that means are made of, and the metrics that are worked out of the others, which are
 * hundreds of numbers that nobody needs any more.
 */
export function evaluationTotals(plan: Pick<RunPlan, "metricNames" | "heldOutMetrics" | "schema" | "model">, extras: UpdateExtras): PhaseTotals {
  const { metricNames, heldOutMetrics, schema, model } = plan;
  if (heldOutMetrics === undefined) return extras;
  const { weight, metrics, saturated } = extras;
  return {
    weight,
    metrics: Object.fromEntries(metricNames.map((name) => [name, metrics[name]!])),
    heldOut: metricValues(heldOutMetrics, metrics, weight, metricTask(schema, model.network)),
    saturated,
  };
}

/** What rode with a round's updates, as a part of its result; nothing where nobody judged. */
export function baseTotals(plan: Parameters<typeof evaluationTotals>[0], base: UpdateExtras | undefined): { readonly base?: PhaseTotals } {
  return base === undefined || base.weight === 0 ? {} : { base: evaluationTotals(plan, base) };
}
