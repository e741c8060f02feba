import type { Refusal } from "@ciphernx/core/spec";
import type { CompileFacts } from "./plan.ts";

/** Where a project has a roster, every party has to be on it: the nodes take part with nobody else. */
export function checkRoster(parties: readonly { readonly name: string }[], facts: CompileFacts, refusals: Refusal[]): void {
  if (facts.roster === undefined) return;
  const known = new Map(facts.parties.map((party) => [party.name, party]));
  const absent = parties.filter(({ name }) => known.get(name)?.onRoster === false).map(({ name }) => name);
  if (absent.length === 0) return;
  refusals.push({
    path: "data.parties",
    reason: `${absent.join(", ")} ${absent.length === 1 ? "is" : "are"} on no organisation's part of the roster (entry ${facts.roster.version}).`,
    remedy: `Whoever owns the node signs for it: \`nexus node approve ${absent[0]!} --org FOLDER\`; or list other parties under data.parties.`,
  });
}
