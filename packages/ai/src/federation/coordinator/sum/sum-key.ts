import type { Waiters } from "@ciphernx/core/lifecycle";
import type { SumPhase } from "./sum-store.ts";

/** Key under which nodes wait for a step of their sum to end. */
export function sumKey({ runId, round, attempt, kind }: SumPhase): string {
  return `sum:${runId}/${kind}/${round}.${attempt}`;
}

/** Wakes the parties of a sum. */
export function announceStep(waiters: Waiters, sum: SumPhase): void {
  waiters.wake(sumKey(sum));
}
