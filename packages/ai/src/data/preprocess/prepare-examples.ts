import { NexusError } from "@ciphernx/core/errors";
import type { Examples } from "../examples.ts";
import { type PreparedCategory, type PreparedNumber, preparedFeatures, preparedWidth, type Preprocessing } from "./preprocessing.ts";

/** Writes a column of a row: `value` is NaN where the cell is missing. */
type Writer = (value: number, into: Float32Array, at: number) => void;

/**
 * Rows of a table as a model's inputs: gaps filled, numbers clipped and scaled, categories one-hot, in the order of the columns.
 * @param rows `count × preprocessing.columns.length` values as the schema reads them, a missing cell NaN
 * @param name names the rows in errors
 * @throws NexusError DATA_INVALID for a missing cell that nothing stands in for, naming column and row
 */
export function prepareFeatures(preprocessing: Preprocessing, rows: ArrayLike<number>, name = "The rows"): Float32Array<ArrayBuffer> {
  const { columns } = preprocessing;
  const widths = columns.map(preparedWidth);
  const width = preparedFeatures(preprocessing);
  const count = rows.length / columns.length;
  const prepared = new Float32Array(count * width);
  const writers = columns.map((column) => (column.type === "number" ? numberWriter(column) : categoryWriter(column)));
  for (let row = 0, at = 0; row < count; row += 1) {
    for (let column = 0; column < writers.length; column += 1) {
      const value = rows[row * columns.length + column]!;
      if (Number.isNaN(value) && columns[column]!.fill === null) throw unfilled(name, columns[column]!.column, row);
      writers[column]!(value, prepared, at);
      at += widths[column]!;
    }
  }
  return prepared;
}

/** Examples whose features have been prepared; labels as they are. */
export function prepareExamples(preprocessing: Preprocessing, examples: Examples, name?: string): Examples {
  const { features, targets, count } = examples;
  return { features: prepareFeatures(preprocessing, features, name), featureLength: preparedFeatures(preprocessing), targets, count };
}

function numberWriter({ clip: [low, high], fill, offset, divisor, indicate }: PreparedNumber): Writer {
  return (value, into, at) => {
    const isMissing = Number.isNaN(value);
    const known = isMissing ? fill! : value;
    into[at] = (Math.min(high, Math.max(low, known)) - offset) / divisor;
    if (indicate) into[at + 1] = isMissing ? 1 : 0;
  };
}

function categoryWriter({ categories, fill }: PreparedCategory): Writer {
  return (value, into, at) => {
    const category = Number.isNaN(value) ? (fill === "own" ? categories : (fill as number)) : value;
    into[at + category] = 1;
  };
}

function unfilled(name: string, column: string, row: number): NexusError {
  return new NexusError("DATA_INVALID", `${name}: the cell of column "${column}" in row ${row + 1} is missing, and nothing stands in for it.`, {
    hint: "Fill it in or remove the row; or train with preprocess.columns that imputes this column.",
    details: { column, row: row + 1 },
  });
}
