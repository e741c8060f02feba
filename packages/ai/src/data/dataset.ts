import { NexusError } from "@ciphernx/core/errors";
import { contentHash } from "./content-hash.ts";
import { classCount, type DatasetSchema, featureColumns } from "./dataset-schema.ts";
import type { Examples } from "./examples.ts";

/** A party's data in memory. */
export interface Dataset {
  readonly schema: DatasetSchema;
  readonly train: Examples;
  /** Rows that are held out for evaluation; absent when there are none. */
  readonly test?: Examples;
  /** SHA-256 of schema and rows, see `contentHash`. */
  readonly contentHash: string;
}

/**
 * A dataset of checked rows: every class index exists, every regression target is a finite number.
 * @throws NexusError DATA_INVALID naming the part and the row.
 */
export function createDataset(schema: DatasetSchema, train: Examples, test?: Examples): Dataset {
  const held = test !== undefined && test.count > 0 ? test : undefined;
  checkTargets(schema, train, "training");
  if (held !== undefined) checkTargets(schema, held, "test");
  return { schema, train, ...(held === undefined ? {} : { test: held }), contentHash: contentHash(schema, train, held) };
}

function checkTargets(schema: DatasetSchema, { targets, count }: Examples, part: string): void {
  const classes = classCount(schema);
  for (let row = 0; row < count; row += 1) {
    const target = targets[row]!;
    if (classes === undefined ? Number.isFinite(target) : target < classes) continue;
    const expected = classes === undefined ? "a finite number" : `a class below ${classes}`;
    throw new NexusError("DATA_INVALID", `The label of ${part} row ${row + 1} is not ${expected}.`, {
      hint: "Compare the labels with the classes that the dataset's schema declares.",
      details: { part, row: row + 1 },
    });
  }
}

/** How many cells of a feature are missing. */
export interface MissingCells {
  readonly column: string;
  readonly count: number;
}

/** The features with missing cells, in the order of the schema; empty when every cell is known. */
export function countMissing({ schema, train, test }: Dataset): readonly MissingCells[] {
  const length = train.featureLength;
  const counts = new Float64Array(length);
  for (const examples of test === undefined ? [train] : [train, test]) {
    if (examples.features instanceof Uint8Array) continue;
    for (let i = 0; i < examples.features.length; i += 1) if (Number.isNaN(examples.features[i])) counts[i % length]! += 1;
  }
  const columns = schema.kind === "table" ? featureColumns(schema) : undefined;
  return Array.from(counts, (count, i) => ({ column: columns?.[i]?.name ?? `value ${i}`, count })).filter(({ count }) => count > 0);
}

/**
 * Refuses a dataset that a network cannot learn from as it is: arithmetic on a missing cell makes the whole model NaN.
 * @throws NexusError DATA_INVALID naming each column with missing cells and how many.
 */
export function requireComplete(dataset: Dataset, name = "The dataset"): void {
  const missing = countMissing(dataset);
  if (missing.length === 0) return;
  const shown = missing.slice(0, 10).map(({ column, count }) => `"${column}" (${count})`);
  const rest = missing.length > shown.length ? ` and ${missing.length - shown.length} more columns` : "";
  throw new NexusError("DATA_INVALID", `${name} has missing cells in ${shown.join(", ")}${rest}; nothing can be learnt from them as they are.`, {
    hint: 'Fill in or remove those rows, or give the columns the role "ignore" in the schema.',
    details: { missing: missing.slice(0, 100) },
  });
}
