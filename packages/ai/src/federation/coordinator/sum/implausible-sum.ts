import type { UpdateExtras } from "../../../aggregation/index.ts";
import { impossibleStatistics, statisticsLength } from "../../../data/preprocess/index.ts";
import { contradictoryMetric, metricTask } from "../../../metrics/index.ts";
import type { RunPlan } from "../../../spec/index.ts";
import type { PhaseKind } from "../../round/run-round.ts";
import { splitExtras } from "../../round/riding-metrics.ts";
import { uploadLayout } from "../../round/upload-layout.ts";

/**
 * What no updates of so many parties could have added up to, in words; undefined when nothing is. What each party's update is checked for where it is seen can
 * only be looked for in the sum here: a party that sends garbage spoils it, and nobody can tell which one did.
 */
export function implausibleSum(plan: RunPlan, kind: PhaseKind, parties: number, extras: UpdateExtras): string | undefined {
  const { update, base } = kind === "fit" ? splitExtras(plan, extras) : { update: extras, base: undefined };
  const { weight, metrics, saturated } = update;
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
  if (kind === "evaluate") return contradictoryHeldOut(plan, update);
  for (const name of (kind === "fit" ? plan.strategySums : undefined) ?? []) {
    if (!(metrics[name]! >= 0 && metrics[name]! <= weight)) return `their sum "${name}" is ${metrics[name]}, not from 0 to their weight ${weight}.`;
  }
  if (base === undefined) return undefined;
  if (!(base.weight >= 0 && base.weight <= most)) return `they judged on ${base.weight} held-out rows, not from 0 to ${most}.`;
  return base.weight === 0 ? undefined : contradictoryHeldOut(plan, base);
}

function contradictoryHeldOut({ heldOutMetrics, schema, model }: RunPlan, { metrics, weight }: UpdateExtras): string | undefined {
  return heldOutMetrics === undefined ? undefined : contradictoryMetric(heldOutMetrics, metrics, weight, metricTask(schema, model.network));
}
