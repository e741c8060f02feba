import { parseDecimal } from "./cell.ts";

/** Cell texts that are taken for "not known" where they occur. */
const MISSING_TEXTS = new Set(["NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "?"]);
/** A text column with more different cells than this is free text, not a category. */
export const MAX_INFERRED_CATEGORIES = 64;

/** What reading a column once has shown. */
export interface ColumnFacts {
  readonly name: string;
  readonly missing: Set<string>;
  /** Different cells, up to one more than are of interest. */
  readonly values: Set<string>;
  known: number;
  isNumeric: boolean;
  isWhole: boolean;
  /** Cells that are numbers. */
  numbers: number;
  /** Where the first cell stands that is none. */
  firstText?: string;
}

/** The facts of a column of which nothing was read yet. */
export function newFacts(name: string): ColumnFacts {
  return { name, missing: new Set(), values: new Set(), known: 0, isNumeric: true, isWhole: true, numbers: 0 };
}

/** Takes note of a trimmed cell; `where` is the file with the row or line. */
export function note(facts: ColumnFacts, text: string, where: string): void {
  if (text === "") return;
  if (MISSING_TEXTS.has(text)) {
    facts.missing.add(text);
    return;
  }
  facts.known += 1;
  const value = parseDecimal(text);
  if (value === undefined) {
    facts.isNumeric = false;
    facts.firstText ??= where;
  } else facts.numbers += 1;
  facts.isWhole &&= value !== undefined && Number.isInteger(value);
  if (facts.values.size <= MAX_INFERRED_CATEGORIES) facts.values.add(text);
}
