import type { RunPlan } from "@ciphernx/ai/spec";
import { plural } from "@ciphernx/core/errors";
import type { Round } from "@ciphernx/protocol/proto";

/** Parties that a line names one by one. */
const NAMED_PARTIES = 10;

/** A party of a run's plan, and how often it was learnt from. */
export interface PartyRounds {
  readonly party: string;
  /** Committed rounds in which its update was added; round 0 trains nothing. */
  readonly rounds: number;
}

/** How often each party of a plan was learnt from in the rounds that have been committed, in the order of the plan. */
export function learntFrom({ parties }: Pick<RunPlan, "parties">, rounds: readonly Round[]): readonly PartyRounds[] {
  const added = new Map<string, number>();
  for (const { state, participations } of rounds) {
    if (state !== "committed") continue;
    for (const { kind, state: answer, party } of participations)
      if (kind === "fit" && answer === "accepted") added.set(party, (added.get(party) ?? 0) + 1);
  }
  return parties.map(({ name }) => ({ party: name, rounds: added.get(name) ?? 0 }));
}

/** `2 of 3 parties; bonn in 4 of 5 rounds; never: chur`; empty before a round was committed. */
export function learntFromText(parties: readonly PartyRounds[], committed: number): string {
  if (committed === 0) return "";
  const never = parties.filter(({ rounds }) => rounds === 0).map(({ party }) => party);
  const sometimes = parties.filter(({ rounds }) => rounds > 0 && rounds < committed).map(({ party, rounds }) => `${party} in ${rounds}`);
  const all = plural(parties.length, "party", "parties");
  return [
    never.length === 0 ? all : `${parties.length - never.length} of ${all}`,
    ...(sometimes.length === 0 ? [] : [`${named(sometimes)} of ${plural(committed, "round")}`]),
    ...(never.length === 0 ? [] : [`never: ${named(never)}`]),
  ].join("; ");
}

function named(names: readonly string[]): string {
  const rest = names.length - NAMED_PARTIES;
  return `${names.slice(0, NAMED_PARTIES).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}
