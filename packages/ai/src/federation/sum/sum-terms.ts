/** What both sides of a protected sum derive from a plan: neither takes the other's word for it. @module */
import { attemptContext, type Ring, type SumRules } from "@ciphernx/crypto/secagg";
import { sumRing } from "../../spec/plan-protection.ts";
import type { TaskPlan } from "../../spec/index.ts";
import type { Phase, PhaseKind } from "../round/run-round.ts";

/** Fewest parties and organisations in a sum. Nobody has to judge a model: an evaluation is of as many as a sum needs at least. */
export function sumRules({ protection, cohort }: Pick<TaskPlan, "protection" | "cohort">, kind: PhaseKind): SumRules {
  const { kMin, corruption, dropout } = protection!;
  return { kMin, quorum: kind === "evaluate" ? kMin : cohort.quorum, assumptions: { corruption, dropout } };
}

/** The ring of a plan's sums. */
export function ringOf({ encoding, partyTree }: Pick<TaskPlan, "encoding" | "partyTree">): Ring {
  return sumRing(encoding, partyTree.size);
}

/** What binds everything that is signed, sealed or derived in one attempt at one sum. */
export function sumContext(
  task: { readonly runId: string; readonly planHash: string; readonly baseModelHash: string } & Phase,
): Uint8Array<ArrayBuffer> {
  const { runId, kind, round, attempt, planHash, baseModelHash } = task;
  return attemptContext({ runId, kind, round, attempt, planHash, baseModelHash });
}
