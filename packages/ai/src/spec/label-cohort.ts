import type { RunPlan } from "./plan.ts";

/**
 * Why the result of a run also depends on who answers in time, as a sentence; undefined where every round waits for all that it asks.
 * @param counted parties whose rows are counted before the first round; 0 where nothing is prepared
 */
export function labelCohort({ size, invited, quorum }: RunPlan["cohort"], counted: number): string | undefined {
  const what =
    quorum < size || invited > size
      ? `A round may close with ${quorum} of ${invited} updates`
      : quorum < counted
        ? `Rows may be prepared by the statistics of ${quorum} of ${counted} parties`
        : undefined;
  return what && `${what}: the result depends on who answers in time, and its card says whose rows were learnt from.`;
}
