import { randomStream } from "../../random/index.ts";
import type { RunPlan } from "../../spec/index.ts";

/**
 * Which parties a round invites: all, or a draw without replacement that depends on the spec's seed, the round and the
 * number of the draw alone (0, and one more for each attempt that had no quorum). Sorted by name, like every list of parties.
 */
export function select(plan: Pick<RunPlan, "parties" | "cohort">, seed: number, round: number, draw: number): readonly string[] {
  const names = plan.parties.map(({ name }) => name);
  if (plan.cohort.invited >= names.length) return names;
  const order = randomStream(seed, "select", round, draw).shuffle(Uint32Array.from(names.keys()));
  return order
    .subarray(0, plan.cohort.invited)
    .toSorted()
    .values()
    .map((index) => names[index]!)
    .toArray();
}
