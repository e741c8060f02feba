import type { SumPhase } from "./sum-store.ts";

/** Key under which nodes wait for a step of their sum to end. */
export function sumKey({ runId, round, attempt, kind }: SumPhase): string {
  return `sum:${runId}/${kind}/${round}.${attempt}`;
}
