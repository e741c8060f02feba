import { NexusError } from "@ciphernx/core/errors";
import { findMistakes, nearest } from "@ciphernx/core/spec";
import { compareNames } from "../../tensor/index.ts";
import { type ColumnSchema, datasetSchema, type TableSchema } from "../dataset-schema.ts";
import { type ColumnFacts, MAX_INFERRED_CATEGORIES } from "./column-facts.ts";

/** What a proposed schema is told. */
export interface ProposeOptions {
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

/** What the column to predict is called where nobody says. */
const LABEL_NAMES = ["label", "target", "class", "y"];
/** A numeric label with at most so many different whole numbers is a class. */
const MAX_NUMBER_CLASSES = 20;

/**
 * Proposes the schema of a table from the facts of its columns: numbers, categories (in alphabetical order), missing codes, roles.
 * It proposes no ranges: the smallest and largest value of a column are facts about single rows, and a schema is shown to the
 * other parties. The names of categories are shown as well, so a text column of many values is ignored, not listed.
 * @param source Names the file in errors.
 * @throws NexusError DATA_INVALID when the label is not there, or no schema can be made.
 */
export function proposeSchema(facts: readonly ColumnFacts[], source: string, options: ProposeOptions): TableSchema {
  const label = findLabel(facts, options.label, source);
  for (const name of [...(options.id ?? []), ...(options.ignore ?? [])]) findFacts(facts, name, source);
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

/** DATA_INVALID for a file that holds nothing to learn from. */
export function noRows(source = "the file", what = "holds no rows"): NexusError {
  return new NexusError("DATA_INVALID", `${source} ${what}.`, { hint: "A dataset has at least one row.", details: { file: source } });
}

/** The facts of a column by name. @throws NexusError DATA_INVALID naming the nearest one that is there. */
export function findFacts(facts: readonly ColumnFacts[], name: string, source: string): ColumnFacts {
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
  if (name !== undefined) return findFacts(facts, name, source);
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

function missingCodes(facts: ColumnFacts): { missing?: string[] } {
  return facts.missing.size === 0 ? {} : { missing: [...facts.missing].toSorted(compareNames) };
}

function labelSchema(facts: ColumnFacts, task: "classification" | "regression", { classes }: ProposeOptions): ColumnSchema {
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

function columnOf(facts: ColumnFacts, { id = [], ignore = [] }: ProposeOptions): ColumnSchema {
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
