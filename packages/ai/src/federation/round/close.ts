/** How one invited party stands in a phase of a round. */
export interface Standing {
  readonly party: string;
  /** pending: no answer yet; absent: no answer, and the node has not been heard of for a while. */
  readonly state: "pending" | "absent" | "accepted" | "refused";
}

export interface ClosingRule {
  /** Answers that are wanted; with these the phase closes at once. */
  readonly size: number;
  /** Fewest answers with which it may close at all. */
  readonly quorum: number;
  readonly deadlineUnixMs: number;
}

export type Closing =
  | { readonly kind: "wait" }
  | { readonly kind: "close"; readonly accepted: readonly string[] }
  /** The phase can no longer reach its quorum, or its time is over. `missing`: whose answers it lacked; who was still at work is no reason. `why`: what was wrong with what they
   * gave up together, where that is the reason. */
  | { readonly kind: "abandon"; readonly missing: readonly string[]; readonly why?: string };

/**
 * Decides whether a phase waits, closes or is abandoned. Closes as soon as enough parties answered, or when everyone
 * who still can has answered and the quorum is there, or at the deadline.
 */
export function close(standings: readonly Standing[], rule: ClosingRule, nowUnixMs: number): Closing {
  const named = (state: Standing["state"]) => standings.filter((standing) => standing.state === state).map(({ party }) => party);
  const accepted = named("accepted");
  const pending = named("pending");
  const absent = named("absent");
  const over = nowUnixMs >= rule.deadlineUnixMs;
  if (accepted.length >= rule.size) return { kind: "close", accepted };
  if (accepted.length >= rule.quorum && (over || pending.length === 0)) return { kind: "close", accepted };
  if (over) return { kind: "abandon", missing: [...pending, ...absent, ...named("refused")] };
  const reachable = accepted.length + pending.length + absent.length >= rule.quorum;
  return reachable ? { kind: "wait" } : { kind: "abandon", missing: named("refused") };
}
