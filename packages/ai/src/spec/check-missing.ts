import { plural } from "@ciphernx/core/errors";
import type { Refusal } from "@ciphernx/core/spec";
import { listMissing, type RowSchema } from "../data/index.ts";
import { columnSteps, type ColumnSteps, preprocessSection } from "../data/preprocess/index.ts";
import type { KnownParty } from "./choose-parties.ts";
import type { RunSpec } from "./run-spec.ts";

/** Parties that a refusal names one by one. */
const NAMED_PARTIES = 10;

/** Missing cells that nothing in the spec deals with would fail every attempt of the first round. */
export function checkMissing(spec: RunSpec, parties: readonly KnownParty[], steps: readonly ColumnSteps[] | undefined, refusals: Refusal[]): void {
  // A trainer of the parties' own does with its rows as it likes; a network can do no arithmetic on a cell that is not known.
  if (spec.model.kind === "tensors") return;
  // Why there are no steps has been told.
  if (spec.preprocess !== undefined && steps === undefined) return;
  const filled = new Set(steps?.filter(({ impute }) => impute !== "none").map(({ column }) => column));
  const lacking = parties
    .map(({ name, dataset }) => ({ name, missing: dataset.missing.filter(({ column }) => !filled.has(column)) }))
    .filter(({ missing }) => missing.length > 0);
  if (lacking.length === 0) return;
  const named = lacking.slice(0, NAMED_PARTIES).map(({ name, missing }) => `${name} in ${listMissing(missing)}`);
  const rest = lacking.length - named.length;
  const where = `at ${named.join("; at ")}${rest > 0 ? `; and at ${plural(rest, "more party", "more parties")}` : ""}`;
  const isTable = parties[0]?.dataset.schema.kind === "table";
  refusals.push({
    path: isTable ? "preprocess" : "data.dataset",
    reason: `The dataset "${spec.data.dataset}" has missing cells ${where}; nothing can be learnt from them as they are.`,
    remedy: isTable
      ? 'Have gaps filled from the statistics of all parties (a preprocess section; "none" fills nothing), or remove those rows, or give the columns the role "ignore" at every party.'
      : "Fill in or remove those rows, or list other parties under data.parties.",
    ...(spec.preprocess === undefined && mendsAll(parties[0]!.dataset.schema) ? { edits: [{ path: "preprocess", value: {} }] } : {}),
  });
}

/** Whether a preprocess section without a word in it fills every gap: every column of numbers must have a range. */
function mendsAll(schema: RowSchema): boolean {
  return columnSteps(preprocessSection.schema.parse({})!, schema, []) !== undefined;
}
