import { NexusError, plural } from "@ciphernx/core/errors";
import { z } from "zod";
import type { Dataset } from "./dataset.ts";
import { featureColumns } from "./dataset-schema.ts";

/** Columns that are named in one message. */
const NAMED_COLUMNS = 10;
/** Columns whose counts are registered; a table has rarely as many, and rows of floats have no columns that anybody knows by name. */
const MAX_REGISTERED_COLUMNS = 1_000;

const missingCount = z.strictObject({
  column: z.string().min(1).max(256).describe("The feature's name"),
  count: z.int().min(1).describe("Rows whose cell is not known, training and held-out rows together"),
});

/** Counts of missing cells as they are registered: of the features that have any, in the order of the schema. */
export const missingCellsSchema = z.array(missingCount).max(MAX_REGISTERED_COLUMNS).describe("How many cells of which features are missing");

/** How many cells of a feature are missing. */
export interface MissingCells {
  readonly column: string;
  readonly count: number;
}

/** The features with missing cells, in the order of the schema; empty when every cell is known. */
export function countMissing({ schema, train, test }: Pick<Dataset, "schema" | "train" | "test">): readonly MissingCells[] {
  const length = train.featureLength;
  const counts = new Float64Array(length);
  for (const examples of test === undefined ? [train] : [train, test]) {
    if (examples.features instanceof Uint8Array) continue;
    for (let i = 0; i < examples.features.length; i += 1) if (Number.isNaN(examples.features[i])) counts[i % length]! += 1;
  }
  const columns = schema.kind === "table" ? featureColumns(schema) : undefined;
  return Array.from(counts, (count, i) => ({ column: columns?.[i]?.name ?? `value ${i}`, count })).filter(({ count }) => count > 0);
}

/** What is registered of a dataset's missing cells. */
export function registeredMissing(dataset: Dataset): readonly MissingCells[] {
  return countMissing(dataset).slice(0, MAX_REGISTERED_COLUMNS);
}

/** The columns with their counts, for people: `"age" (3), "chol" (41) and 2 more columns`. */
export function listMissing(missing: readonly MissingCells[]): string {
  const shown = missing.slice(0, NAMED_COLUMNS).map(({ column, count }) => `"${column}" (${count})`);
  const rest = missing.length - shown.length;
  return `${shown.join(", ")}${rest > 0 ? ` and ${plural(rest, "more column")}` : ""}`;
}

/**
 * Refuses a dataset that a network cannot learn from as it is: arithmetic on a missing cell makes the whole model NaN.
 * @throws NexusError DATA_INVALID naming each column with missing cells and how many.
 */
export function requireComplete(dataset: Dataset, name = "The dataset"): void {
  const missing = countMissing(dataset);
  if (missing.length === 0) return;
  throw new NexusError("DATA_INVALID", `${name} has missing cells in ${listMissing(missing)}; nothing can be learnt from them as they are.`, {
    hint: 'Fill in or remove those rows, or give the columns the role "ignore" in the schema.',
    details: { missing: missing.slice(0, 100) },
  });
}
