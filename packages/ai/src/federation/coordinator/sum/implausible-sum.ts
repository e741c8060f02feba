import type { UpdateExtras } from "../../../aggregation/index.ts";
import { impossibleStatistics, statisticsLength } from "../../../data/preprocess/index.ts";
import { contradictoryMetric, metricTask } from "../../../metrics/index.ts";
import type { RunPlan } from "../../../spec/index.ts";
import type { PhaseKind } from "../../round/run-round.ts";
import { uploadLayout } from "../../round/upload-layout.ts";

/**
 * What no updates of so many parties could have added up to, in words; undefined when nothing is. What each party's update is checked for where it is seen can
 * only be looked for in the sum here: a party that sends garbage spoils it, and nobody can tell which one did.
 */
export function implausibleSum(plan: RunPlan, kind: PhaseKind, parties: number, extras: UpdateExtras): string | undefined {
  const { weight, metrics, saturated } = extras;
  const least = kind === "evaluate" ? 0 : parties;
  const most = parties * plan.encoding.maxWeight;
  if (!(weight >= least && weight <= most)) return `their weight is ${weight}, not from ${least} to ${most}.`;
  const coordinates = parties * uploadLayout(plan, kind).parameters;
  if (!(saturated >= 0 && saturated <= coordinates)) return `they count ${saturated} clipped coordinates of ${coordinates}.`;
  if (kind === "statistics") {
    const { steps } = plan.preprocess!;
    const registered = plan.parties.reduce((sum, { trainExamples }) => sum + trainExamples, 0);
    if (weight > registered) return `they count ${weight} rows; ${registered} are registered.`;
    const sums = Array.from({ length: statisticsLength(steps) }, (_, index) => metrics[index]!);
    return impossibleStatistics(steps, sums, weight, plan.encoding.maxWeight, parties);
  }
  if (kind === "evaluate" && plan.heldOutMetrics !== undefined) {
    return contradictoryMetric(plan.heldOutMetrics, metrics, weight, metricTask(plan.schema, plan.model.network));
  }
  for (const name of (kind === "fit" ? plan.strategySums : undefined) ?? []) {
    if (!(metrics[name]! >= 0 && metrics[name]! <= weight)) return `their sum "${name}" is ${metrics[name]}, not from 0 to their weight ${weight}.`;
  }
  return undefined;
}
