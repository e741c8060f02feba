import type { RunPlan } from "../../spec/index.ts";
import { gather, type NotGathered } from "./gather.ts";
import type { RoundHost } from "./run-round.ts";

/** The round in which statistics are gathered: before the first that trains. */
export const STATISTICS_ROUND = 0;

export interface StatisticsInput {
  readonly plan: RunPlan;
  readonly firstAttempt: number;
}

export interface StatisticsGathered {
  readonly kind: "committed";
  /** The parties that were counted. */
  readonly accepted: readonly string[];
}

/**
 * What comes before the first round of a run that prepares its rows: every party counts its training rows, the counts are added like
 * updates, and what follows from them is how rows become inputs in all rounds. Whoever does not answer in time is not counted; its rows are
 * prepared like all others.
 */
export async function runStatistics(host: RoundHost, { plan, firstAttempt }: StatisticsInput): Promise<StatisticsGathered | NotGathered> {
  const round = STATISTICS_ROUND;
  const parties = plan.parties.map(({ name }) => name);
  const gathered = await gather(host, plan, {
    ...{ kind: "statistics", round, firstAttempt, size: parties.length },
    draw: () => ({ parties, config: {} }),
  });
  if (gathered.kind !== "gathered") return gathered;
  const { attempt, accepted } = gathered;
  await host.durably("prepare", () => host.prepare({ kind: "statistics", round, attempt }, accepted));
  return { kind: "committed", accepted };
}
