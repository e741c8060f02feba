import type { LoggedDecision } from "./decision-log.ts";

/** A run that was refused because its owner had not approved it. */
export interface AwaitedApproval {
  readonly specHash: string;
  /** The last run of the spec that was refused. */
  readonly run: string;
  /** When it was; ISO 8601, UTC. */
  readonly at: string;
}

/** Specs whose last word about a dataset is that an approval was missing, the latest first. What was revoked and then refused waits again. */
export function awaitedApprovals(decisions: readonly LoggedDecision[], dataset: string): readonly AwaitedApproval[] {
  const waiting = new Map<string, AwaitedApproval>();
  for (const { act, code, specHash, run, at, dataset: of } of decisions) {
    if (of !== dataset || specHash === undefined) continue;
    if (act === "refused" && code === "APPROVAL_REQUIRED" && run !== undefined) {
      waiting.delete(specHash);
      waiting.set(specHash, { specHash, run, at });
    } else if (act === "approved") waiting.delete(specHash);
  }
  return [...waiting.values()].toReversed();
}
