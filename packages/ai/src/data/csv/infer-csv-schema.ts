import { NexusError, plural } from "@ciphernx/core/errors";
import { findMistakes, nearest } from "@ciphernx/core/spec";
import { compareNames } from "../../tensor/index.ts";
import { type ColumnSchema, datasetSchema, type TableSchema } from "../dataset-schema.ts";
import { parseDecimal } from "./cell.ts";
import { checkDelimiter } from "./check-delimiter.ts";
import { type ByteChunks, readCsvRecords } from "./csv-records.ts";
import type { CsvTableOptions } from "./csv-examples.ts";

export interface InferOptions extends Omit<CsvTableOptions, "source"> {
  /** The column to predict, by name. Default: the one called label, target, class or y. */
  readonly label?: string;
  /** Default: regression when the label is a number with a fraction or more than `MAX_NUMBER_CLASSES` values. */
  readonly task?: "classification" | "regression";
  /** Class labels in the order of their indices; default: those found, sorted. A party that lacks a class must name them all. */
  readonly classes?: readonly string[];
  /** Columns that name a row. */
  readonly id?: readonly string[];
  /** Columns that are left out. */
  readonly ignore?: readonly string[];
}

/** One file: what errors call it, and its bytes. */
export interface CsvFile {
  readonly source: string;
  readonly chunks: ByteChunks;
}

/** What the column to predict is called where nobody says. */
const LABEL_NAMES = ["label", "target", "class", "y"];
/** Cell texts that are taken for "not known" where they occur. */
const MISSING_TEXTS = new Set(["NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "?"]);
/** A text column with more different cells than this is free text, not a category. */
const MAX_INFERRED_CATEGORIES = 64;
/** A numeric label with at most so many different whole numbers is a class. */
const MAX_NUMBER_CLASSES = 20;

interface ColumnFacts {
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

/**
 * Proposes the schema of CSV files of one form by reading them once: numbers, categories (in alphabetical order), missing
 * codes, roles. It proposes no ranges: the smallest and largest value of a column are facts about single rows, and a schema
 * is shown to the other parties. The names of categories are shown as well, so a text column of many values is ignored, not
 * listed.
 * @throws NexusError DATA_INVALID when a file is damaged, the label is not there, or no schema can be made.
 */
export async function inferCsvSchema(files: readonly CsvFile[], options: InferOptions = {}): Promise<TableSchema> {
  const source = files[0]?.source ?? "the file";
  const facts = await collect(files, options);
  const label = findLabel(facts, options.label, source);
  for (const name of [...(options.id ?? []), ...(options.ignore ?? [])]) find(facts, name, source);
  const isNumber = label.isNumeric && label.known > 0;
  const looksContinuous = isNumber && (!label.isWhole || label.values.size > MAX_NUMBER_CLASSES);
  const task = options.task ?? (looksContinuous && options.classes === undefined ? "regression" : "classification");
  const columns = facts.map((column) => (column === label ? labelSchema(label, task, options) : columnOf(column, options)));
  const draft = { kind: "table", columns, task };
  const inferred = datasetSchema.safeParse(draft);
  if (!inferred.success || inferred.data.kind !== "table") {
    const [mistake] = findMistakes(datasetSchema, draft);
    throw new NexusError("DATA_INVALID", `${source}: no schema can be made of its columns. ${mistake?.reason ?? ""}`.trim(), {
      hint: "Name the classes, or write the schema by hand.",
      details: { file: source },
    });
  }
  return inferred.data;
}

function find(facts: readonly ColumnFacts[], name: string, source: string): ColumnFacts {
  const found = facts.find((column) => column.name === name);
  if (found !== undefined) return found;
  const names = facts.map((column) => column.name);
  const meant = nearest(name, names);
  throw new NexusError("DATA_INVALID", `${source} has no column "${name}"${meant === undefined ? "" : `; is it "${meant}"?`}`, {
    hint: `Its columns are: ${names.slice(0, 20).join(", ")}.`,
    details: { file: source, column: name },
  });
}

function findLabel(facts: readonly ColumnFacts[], name: string | undefined, source: string): ColumnFacts {
  if (name !== undefined) return find(facts, name, source);
  const found = facts.filter((column) => LABEL_NAMES.includes(column.name.toLowerCase()));
  if (found.length === 1) return found[0]!;
  throw new NexusError("DATA_INVALID", `${source} does not tell which column is to be predicted.`, {
    hint: `Name the label; the columns are: ${facts
      .map((column) => column.name)
      .slice(0, 20)
      .join(", ")}.`,
    details: { file: source },
  });
}

async function collect(files: readonly CsvFile[], options: InferOptions): Promise<readonly ColumnFacts[]> {
  let facts: readonly ColumnFacts[] | undefined;
  let hasRows = false;
  for (const { source, chunks } of files) {
    let positions: readonly ColumnFacts[] | undefined;
    for await (const records of readCsvRecords(chunks, { ...options, source })) {
      for (const { row, cells } of records) {
        if (positions === undefined) {
          checkDelimiter(cells, options.delimiter ?? ",", source);
          const names = options.header === false ? cells.map((_, i) => `column-${i + 1}`) : cells.map((cell) => cell.trim());
          facts ??= names.map((name) => ({ name, missing: new Set(), values: new Set(), known: 0, isNumeric: true, isWhole: true, numbers: 0 }));
          positions = matchColumns(facts, names, source);
          if (options.header !== false) continue;
        }
        if (cells.length !== positions.length) {
          throw new NexusError("DATA_INVALID", `${source}, row ${row} has ${plural(cells.length, "cell")}; ${positions.length} are expected.`, {
            details: { file: source, row },
          });
        }
        hasRows = true;
        for (let i = 0; i < cells.length; i += 1) note(positions[i]!, cells[i]!.trim(), `${source}, row ${row}`);
      }
    }
    if (positions === undefined)
      throw new NexusError("DATA_INVALID", `${source} is empty.`, { hint: "A dataset has at least one row.", details: { file: source } });
  }
  const [first] = files;
  if (facts === undefined || first === undefined) throw new NexusError("DATA_INVALID", "No file is named.", { hint: "Name at least one CSV file." });
  if (!hasRows) {
    throw new NexusError("DATA_INVALID", `${first.source} holds no rows below its header.`, {
      hint: "A dataset has at least one row.",
      details: { file: first.source },
    });
  }
  return facts;
}

/** The facts of each column of a file, in the file's order. */
function matchColumns(facts: readonly ColumnFacts[], names: readonly string[], source: string): readonly ColumnFacts[] {
  if (names.length !== facts.length) {
    throw new NexusError("DATA_INVALID", `${source} has ${plural(names.length, "column")}; the first file has ${facts.length}.`, {
      details: { file: source },
    });
  }
  return names.map((name) => find(facts, name, source));
}

function note(facts: ColumnFacts, text: string, where: string): void {
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

function missingCodes(facts: ColumnFacts): { missing?: string[] } {
  return facts.missing.size === 0 ? {} : { missing: [...facts.missing].toSorted(compareNames) };
}

function labelSchema(facts: ColumnFacts, task: "classification" | "regression", { classes }: InferOptions): ColumnSchema {
  if (task === "regression") return { name: facts.name, role: "label", type: "number", ...missingCodes(facts) };
  if (classes === undefined && facts.values.size > MAX_INFERRED_CATEGORIES) {
    throw new NexusError(
      "DATA_INVALID",
      `The label "${facts.name}" has more than ${MAX_INFERRED_CATEGORIES} different values, too many to guess its classes.`,
      {
        hint: "Name the classes in a schema, or choose the task regression.",
        details: { column: facts.name },
      },
    );
  }
  const found = [...facts.values].toSorted(facts.isNumeric ? (a, b) => Number(a) - Number(b) || compareNames(a, b) : compareNames);
  return { name: facts.name, role: "label", type: "category", categories: [...(classes ?? found)], ...missingCodes(facts) };
}

function columnOf(facts: ColumnFacts, { id = [], ignore = [] }: InferOptions): ColumnSchema {
  const isId = id.includes(facts.name) || /^(?:.*_)?id$/i.test(facts.name);
  const isIgnored = ignore.includes(facts.name) || facts.known === 0;
  if (isId || isIgnored) return { name: facts.name, role: isId ? "id" : "ignore", type: "text" };
  if (facts.isNumeric) return { name: facts.name, role: "feature", type: "number", ...missingCodes(facts) };
  // A typing mistake in a column of numbers must not turn its values into names that everybody is shown.
  if (facts.numbers * 2 > facts.known) {
    throw new NexusError("DATA_INVALID", `${facts.firstText}, column "${facts.name}" is not a number, though most of the column's cells are.`, {
      hint: "Correct the cell, or say in a schema what the column holds.",
      details: { column: facts.name },
    });
  }
  // Texts that hardly repeat are names, dates or remarks about single rows.
  const isFreeText = facts.values.size > MAX_INFERRED_CATEGORIES || facts.values.size > Math.max(2, facts.known / 2);
  if (isFreeText) return { name: facts.name, role: "ignore", type: "text" };
  return { name: facts.name, role: "feature", type: "category", categories: [...facts.values].toSorted(compareNames), ...missingCodes(facts) };
}
