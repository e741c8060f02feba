import { nearest, type Refusal } from "@ciphernx/core/spec";
import { type DatasetFacts, type MissingCells, rowSchema, type RowSchema } from "../data/index.ts";
import { compareNames } from "../tensor/index.ts";
import type { CompileFacts, PartyFacts } from "./plan.ts";
import type { RunSpec } from "./run-spec.ts";

/** A party that takes part: what the rows of all parties are, and apart from it what is counted of its own. */
export interface KnownParty {
  readonly name: string;
  readonly kernelBuild: string;
  readonly dataset: Omit<DatasetFacts, "schema"> & { readonly schema: RowSchema; readonly missing: readonly MissingCells[] };
}

/** The parties that the spec means and that hold rows to learn from, sorted by name; a refusal for each that it names and that does not. */
export function chooseParties(spec: RunSpec, facts: CompileFacts, refusals: Refusal[]): readonly KnownParty[] {
  const byName = new Map(facts.parties.map((party) => [party.name, party]));
  if (spec.data.parties === "all") {
    const parties = facts.parties
      .map(knownParty)
      .filter((party) => party !== undefined)
      .toSorted((a, b) => compareNames(a.name, b.name));
    if (parties.length === 0) {
      refusals.push({
        path: "data.dataset",
        reason: `No approved node has registered a dataset named "${spec.data.dataset}" with training rows.`,
        remedy: "Register it on each node with `nexus dataset add`, and approve the nodes.",
      });
    }
    return parties;
  }
  const chosen: KnownParty[] = [];
  const seen = new Set<string>();
  for (const [index, name] of spec.data.parties.entries()) {
    if (seen.has(name)) continue; // named twice, meant once
    seen.add(name);
    const party = byName.get(name);
    const path = `data.parties[${index}]`;
    if (party === undefined) {
      const meant = nearest(name, byName.keys());
      refusals.push({
        path,
        reason: `No approved node is named "${name}".`,
        remedy: meant === undefined ? "Approve it, or leave it out." : `Did you mean "${meant}"?`,
        ...(meant === undefined ? {} : { edits: [{ path, value: meant }] }),
      });
      continue;
    }
    const known = knownParty(party);
    if (known === undefined) {
      refusals.push({
        path,
        reason: `"${name}" has registered no dataset named "${spec.data.dataset}" with training rows.`,
        remedy: `Run \`nexus dataset add ${spec.data.dataset}\` on that node, or leave the party out.`,
      });
    } else chosen.push(known);
  }
  return chosen.toSorted((a, b) => compareNames(a.name, b.name));
}

/** The party as it takes part, if it holds rows to learn from. */
function knownParty({ name, kernelBuild, dataset }: PartyFacts): KnownParty | undefined {
  if (dataset === undefined || dataset.trainExamples === 0) return undefined;
  const missing = "missingCells" in dataset.schema ? (dataset.schema.missingCells ?? []) : [];
  return { name, kernelBuild, dataset: { ...dataset, schema: rowSchema(dataset.schema), missing } };
}
