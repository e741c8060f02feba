import { runs } from "@ciphernx/core/store";
import { sql } from "@ciphernx/core/store/sql";
import { STATISTICS_ROUND } from "../round/run-statistics.ts";

/** How far a run has come: columns to select from its row. */
export const progress = {
  /** The last committed round that trained; 0 before the first. */
  currentRound: runs.currentRound,
  /** Whether the statistics that its rows are prepared by are still to be gathered. */
  awaitsStatistics: sql<boolean>`(${runs.plan} ? 'preprocess' and ${runs.preprocessing} is null)`,
};

/** The round that a run comes to after those that are committed. */
export function reachedRound({ currentRound, awaitsStatistics }: { readonly currentRound: number; readonly awaitsStatistics: boolean }): number {
  return awaitsStatistics ? STATISTICS_ROUND : currentRound + 1;
}
