import { plural } from "@ciphernx/core/errors";
import type { Refusal } from "@ciphernx/core/spec";
import { listMissing } from "../data/index.ts";
import type { KnownParty } from "./choose-parties.ts";
import type { RunSpec } from "./run-spec.ts";

/** Parties that a refusal names one by one. */
const NAMED_PARTIES = 10;

/** Missing cells that nothing in the spec deals with would fail every attempt of the first round. */
export function checkMissing(spec: RunSpec, parties: readonly KnownParty[], refusals: Refusal[]): void {
  if (toleratesMissing(spec)) return;
  const lacking = parties.filter(({ dataset }) => dataset.missing.length > 0);
  if (lacking.length === 0) return;
  const named = lacking.slice(0, NAMED_PARTIES).map(({ name, dataset }) => `${name} in ${listMissing(dataset.missing)}`);
  const rest = lacking.length - named.length;
  refusals.push({
    path: "data.dataset",
    reason: `The dataset "${spec.data.dataset}" has missing cells at ${named.join("; at ")}${rest > 0 ? `; and at ${plural(rest, "more party", "more parties")}` : ""}; nothing can be learnt from them as they are.`,
    remedy:
      'Fill in or remove those rows, or give the columns the role "ignore" at every party (`nexus dataset add --schema FILE`, then restart its node), or list other parties under data.parties.',
  });
}

/**
 * Whether the run can learn from rows with missing cells: a trainer of the parties' own does with its rows as it likes, a network can
 * do no arithmetic on a cell that is not known. What fills cells in before training says so here.
 */
function toleratesMissing(spec: RunSpec): boolean {
  return spec.model.kind === "tensors";
}
