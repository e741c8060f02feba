import { placesOf, secAggParameters, type SecAggParameters } from "@ciphernx/crypto/secagg";
import { SUM_STEPS, type sumSteps } from "@ciphernx/core/store";
import type { RunPlan } from "../../../spec/index.ts";
import type { Phase, PhaseKind } from "../../round/run-round.ts";
import { sumRules } from "../../sum/sum-terms.ts";
import type { SumStepName } from "./sum-store.ts";

/** A step that ended. */
export interface SumStepRecord {
  readonly step: SumStepName;
  /** Parties that took it. */
  readonly taken: number;
  /** Names of those that took the step before and not this one. */
  readonly dropped: readonly string[];
  readonly durationMs: number;
}

/** What became of one protected sum: who went how far, and what it withstands. */
export interface SumRecord extends Phase, Pick<SecAggParameters, "graph" | "parties" | "holders" | "threshold" | "corrupt"> {
  readonly steps: readonly SumStepRecord[];
}

/** The protected sums of a run, oldest first, from the rows of the steps that ended. A sum that waits for keys is none yet. */
export function sumRecords(rows: readonly (typeof sumSteps.$inferSelect)[], plan: RunPlan): readonly SumRecord[] {
  const inOrder = rows.toSorted((a, b) => a.round - b.round || a.attempt - b.attempt || SUM_STEPS.indexOf(a.step) - SUM_STEPS.indexOf(b.step));
  const sums = [...Map.groupBy(inOrder, ({ round, attempt, kind }) => `${round}.${attempt}/${kind}`).values()];
  return sums.map((steps) => sumRecord(steps, plan)).toSorted((a, b) => a.round - b.round || a.attempt - b.attempt || ORDER[a.kind] - ORDER[b.kind]);
}

/** A round's model is judged when it has been fitted. */
const ORDER: Readonly<Record<PhaseKind, number>> = { statistics: 0, fit: 1, evaluate: 2 };

function sumRecord(rows: readonly (typeof sumSteps.$inferSelect)[], plan: RunPlan): SumRecord {
  const { round, attempt, kind } = rows[0]!;
  const taken = rows.map(({ parties }) => placesOf(parties, plan.parties.length));
  const { assumptions } = sumRules(plan, kind);
  const { graph, parties, holders, threshold, corrupt } = secAggParameters(taken[0]!.length, assumptions);
  const steps = rows.map(({ step, openedAt, closedAt }, index) => {
    const took = new Set(taken[index]);
    const dropped = (taken[index - 1] ?? []).filter((place) => !took.has(place)).map((place) => plan.parties[place]!.name);
    return { step, taken: took.size, dropped, durationMs: Math.max(0, closedAt.getTime() - openedAt.getTime()) };
  });
  return { ...{ round, attempt, kind, graph, parties, holders, threshold, corrupt }, steps };
}
