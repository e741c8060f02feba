import { NexusError } from "@ciphernx/core/errors";
import type { CategoryColumn, ValueColumn } from "../dataset-schema.ts";

/** What a cell holds where the format has types: Parquet's 64-bit integers are bigints. */
export type Scalar = string | number | bigint | boolean | null | undefined;

/** Decimal numbers as programs write them; hexadecimal, "Infinity", "1,5" and the empty text are none. */
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The number that a trimmed cell spells, or undefined. Parsing decimals is exactly specified, so it is the same on every host. */
export function parseDecimal(text: string): number | undefined {
  return DECIMAL.test(text) ? Number(text) : undefined;
}

/** Whether a trimmed cell stands for "not known": it is empty or one of the declared texts. */
export function isMissing(text: string, codes: readonly string[] | undefined): boolean {
  return text === "" || (codes !== undefined && codes.includes(text));
}

/** Whether a number lies in the column's range and is finite as a 32-bit float. */
export function isAllowed(value: number, range: readonly [number, number] | undefined): boolean {
  return (range === undefined || (value >= range[0] && value <= range[1])) && Number.isFinite(Math.fround(value));
}

/** The numbers of a column's categories by their trimmed texts: their names, and what else stands for them. */
export function categoryNumbers({ categories, texts = {} }: Pick<CategoryColumn, "categories" | "texts">): ReadonlyMap<string, number> {
  const numbers = new Map(categories.map((category, number) => [category.trim(), number]));
  for (const [category, others] of Object.entries(texts)) for (const text of others) numbers.set(text.trim(), categories.indexOf(category));
  return numbers;
}

/** Reads a cell's text: NaN when it is missing, undefined when it is not what its column declares. */
export function textReader(column: ValueColumn): (text: string) => number | undefined {
  const read = knownReader(column);
  return (text) => {
    const trimmed = text.trim();
    return isMissing(trimmed, column.missing) ? NaN : read(trimmed);
  };
}

function knownReader(column: ValueColumn): (text: string) => number | undefined {
  if (column.type === "category") {
    const numbers = categoryNumbers(column);
    const other = column.undeclared === undefined ? undefined : column.categories.length;
    return (text) => numbers.get(text) ?? other;
  }
  return (text) => {
    const value = parseDecimal(text);
    return value !== undefined && isAllowed(value, column.range) ? value : undefined;
  };
}

/**
 * Reads a typed cell as its text would be read: the number 7 is the category "7", `true` the category "true", and a missing code
 * is compared with the text. Null stands for "not known", as does a number that is none.
 */
export function scalarReader(column: ValueColumn): (value: Scalar) => number | undefined {
  const readText = textReader(column);
  const isPlainNumber = column.type === "number" && column.missing === undefined;
  return (value) => {
    if (value === null || value === undefined || Number.isNaN(value)) return NaN;
    if (isPlainNumber && typeof value === "number") return isAllowed(value, column.range) ? value : undefined;
    return readText(typeof value === "string" ? value : String(value));
  };
}

/** What a cell should have been, for an error. */
export function expectation(column: ValueColumn): string {
  if (column.type === "category") {
    const count = column.categories.length;
    const what = count === 1 ? "the cell is not the one declared category" : `the cell is none of the ${count} declared categories`;
    return column.role === "feature" ? `${what} (with \`undeclared: other\` in the schema it would be one more)` : what;
  }
  return column.range === undefined ? "the cell is not a number" : `the cell is not a number from ${column.range[0]} to ${column.range[1]}`;
}

/** Where a cell stands. Text formats count lines or rows from 1, a header included. */
export interface Place {
  readonly source: string;
  /** Default "row". */
  readonly unit?: "row" | "line";
  readonly row: number;
}

/** DATA_INVALID for a cell; the cell itself is never quoted, since errors may be shown to other parties. */
export function invalidCell({ source, unit = "row", row }: Place, column: string, what: string): NexusError {
  return new NexusError("DATA_INVALID", `${source}, ${unit} ${row}, column "${column}": ${what}.`, {
    details: { file: source, [unit]: row, column },
  });
}

/** A value that a reader gave, or the error that names what is wrong with it; a label may not be missing. */
export function requireValue(value: number | undefined, column: ValueColumn, place: Place): number {
  if (value === undefined) throw invalidCell(place, column.name, expectation(column));
  if (column.role === "label" && Number.isNaN(value)) throw invalidCell(place, column.name, "the label is missing");
  return value;
}
