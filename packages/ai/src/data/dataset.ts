import { NexusError } from "@ciphernx/core/errors";
import { contentHash } from "./content-hash.ts";
import { classCount, type DatasetSchema } from "./dataset-schema.ts";
import type { Examples } from "./examples.ts";
import type { RowColumns } from "./table/table-rows.ts";

/** A party's data in memory. */
export interface Dataset {
  readonly schema: DatasetSchema;
  readonly train: Examples;
  /** Rows that are held out for evaluation; absent when there are none. */
  readonly test?: Examples;
  /** SHA-256 of schema and rows, see `contentHash`. */
  readonly contentHash: string;
  /** Texts of columns of the training rows that were kept because a split goes by them; no part of the content. */
  readonly columns?: RowColumns;
}

/**
 * A dataset of checked rows: every class index exists, every regression target is a finite number.
 * @throws NexusError DATA_INVALID naming the part and the row.
 */
export function createDataset(schema: DatasetSchema, train: Examples, test?: Examples, columns?: RowColumns): Dataset {
  const held = test !== undefined && test.count > 0 ? test : undefined;
  checkTargets(schema, train, "training");
  if (held !== undefined) checkTargets(schema, held, "test");
  return {
    schema,
    train,
    ...(held === undefined ? {} : { test: held }),
    contentHash: contentHash(schema, train, held),
    ...(columns === undefined || columns.size === 0 ? {} : { columns }),
  };
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
