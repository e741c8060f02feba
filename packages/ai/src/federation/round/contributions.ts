import type { RunPlan } from "../../spec/index.ts";
import { STATISTICS_ROUND } from "./run-statistics.ts";
import { select } from "./select.ts";

/** A committed round with the parties whose answers were added; round 0 is that of the statistics. */
export interface CommittedRound {
  readonly round: number;
  readonly accepted: readonly string[];
}

/** Who a model was really learnt from, as its accepted sets tell. */
export interface Contributions {
  /** Rounds in which a party's update was added, by party; a party that is absent was never learnt from. */
  readonly rounds: ReadonlyMap<string, number>;
  /** Parties whose rows were counted before the first round; absent where nothing was prepared. */
  readonly counted?: ReadonlySet<string>;
  /** Rounds in which other answers were added than those of all parties that the seed draws first. */
  readonly changedRounds: number;
}

/** Adds up the accepted sets of a run's committed rounds. Pure; `seed` is the spec's. */
export function contributions(plan: Pick<RunPlan, "parties" | "cohort">, seed: number, committed: Iterable<CommittedRound>): Contributions {
  const rounds = new Map<string, number>();
  let counted: ReadonlySet<string> | undefined;
  let changedRounds = 0;
  for (const { round, accepted } of committed) {
    const added = new Set(accepted);
    const isStatistics = round === STATISTICS_ROUND;
    const drawn = isStatistics ? plan.parties.map(({ name }) => name) : select(plan, seed, round, 0);
    if (added.size !== drawn.length || !drawn.every((name) => added.has(name))) changedRounds += 1;
    if (isStatistics) counted = added;
    else for (const name of added) rounds.set(name, (rounds.get(name) ?? 0) + 1);
  }
  return { rounds, ...(counted === undefined ? {} : { counted }), changedRounds };
}
