import { metricSumNames, metricTask } from "../../metrics/index.ts";
import type { TaskPlan } from "../../spec/index.ts";

/** Sums that only an evaluation has, in their order: those of the plan's metrics that are no means. */
export function heldOutSumNames({ heldOutMetrics, schema, model }: Pick<TaskPlan, "heldOutMetrics" | "schema" | "model">): readonly string[] {
  return heldOutMetrics === undefined ? [] : metricSumNames(heldOutMetrics, metricTask(schema, model.network));
}
