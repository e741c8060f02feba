import type { RunPlan } from "../../spec/index.ts";
import type { RoundInstruction } from "../../strategy/index.ts";
import type { Phase, PhaseKind, RoundHost } from "./run-round.ts";

/** What is gathered, and from whom. */
export interface Wanted {
  readonly kind: Exclude<PhaseKind, "evaluate">;
  readonly round: number;
  /** The attempt to begin with; above 1 when the run was stopped and resumed within the round. */
  readonly firstAttempt: number;
  /** Answers that are enough at once; fewer, but a quorum, are enough at the deadline. */
  readonly size: number;
  /** Whom an attempt asks, by how many attempts came before it. */
  draw(tried: number): RoundInstruction;
}

/** Why there are no answers to go on with. */
export type NotGathered =
  /** No attempt had a quorum. */
  { readonly kind: "failed"; readonly missing: readonly string[]; readonly why?: string } | { readonly kind: "stopped" };

export type Gathered = { readonly kind: "gathered"; readonly attempt: number; readonly accepted: readonly string[] } | NotGathered;

/** Tries until an attempt has its quorum, each time with a new draw of the cohort. */
export async function gather(host: RoundHost, { cohort }: RunPlan, { kind, round, firstAttempt, size, draw }: Wanted): Promise<Gathered> {
  let lacked: { readonly missing: readonly string[]; readonly why?: string } = { missing: [] };
  for (let tried = 0; tried < cohort.attempts; tried += 1) {
    const phase: Phase = { kind, round, attempt: firstAttempt + tried };
    const instruction = draw(tried);
    const { parties } = instruction;
    await host.durably(`invite ${phase.attempt}`, () => host.invite(phase, instruction, undefined));
    const rule = { size: Math.min(size, parties.length), quorum: cohort.quorum };
    const collected = await host.durably(`collect ${phase.attempt}`, () => host.collect(phase, parties, rule));
    if (collected.kind === "close") return { kind: "gathered", attempt: phase.attempt, accepted: collected.accepted };
    const reason = collected.kind === "stopped" ? "stopped" : "quorum";
    const { missing, why } = collected.kind === "abandon" ? collected : { missing: [], why: undefined };
    lacked = { missing, ...(why === undefined ? {} : { why }) };
    await host.durably(`abandon ${phase.attempt}`, () => host.abandon(phase, reason, missing, why));
    if (collected.kind === "stopped") return { kind: "stopped" };
  }
  return { kind: "failed", ...lacked };
}
