import { nearest, type Refusal } from "@ciphernx/core/spec";
import { categoryCount, type CategoryColumn, featureColumns, type ValueColumn } from "../dataset-schema.ts";
import type { RowSchema } from "../registered-schema.ts";
import type { PreprocessOptions } from "./section.ts";

/** What is done with a column of numbers, resolved. */
export interface NumberSteps {
  readonly column: string;
  readonly type: "number";
  /** Every value lies here, moved to the ends where it must be; histograms and sums are taken over it. */
  readonly bounds: readonly [number, number];
  readonly impute: "mean" | "median" | "none";
  readonly scale: "standard" | "robust" | "none";
  readonly indicate: boolean;
  readonly bins: number;
}

/** What is done with a column of categories, resolved. */
export interface CategorySteps {
  readonly column: string;
  readonly type: "category";
  /** Categories a cell may be: those declared, and one for all others where the schema says so. */
  readonly categories: number;
  readonly impute: "mode" | "category" | "none";
}

export type ColumnSteps = NumberSteps | CategorySteps;

/** What is summed of a column of numbers before its histogram: known cells, values, squares. */
export const NUMBER_SUMS = 3;

/** Most counts and sums that a party uploads: 2 MB with 16 bits a coordinate. */
const MAX_STATISTICS = 2 ** 18;
const MAX_FEATURES = 1_000_000;

/** Decides what is done with each feature of a table, in the order of the schema; tells every reason why it cannot be done. */
export function columnSteps(options: PreprocessOptions, schema: RowSchema, refusals: Refusal[]): readonly ColumnSteps[] | undefined {
  if (schema.kind !== "table") {
    refusals.push({
      path: "preprocess",
      reason: `Rows of kind ${schema.kind} have no columns of numbers and categories.`,
      remedy: "Leave the section out: values are learnt as the schema scales them.",
    });
    return undefined;
  }
  const before = refusals.length;
  const columns = featureColumns(schema);
  for (const name of Object.keys(options.columns)) checkName(name, columns, schema.columns, refusals);
  const steps = columns.map((column) =>
    column.type === "number" ? numberSteps(column, options, refusals) : categorySteps(column, options, refusals),
  );
  if (refusals.length > before) return undefined;
  checkSize(steps, refusals);
  return refusals.length > before ? undefined : steps;
}

/** Counts and sums that a party uploads: of numbers how many are known, their sum, that of their squares, and a histogram. */
export function statisticsLength(steps: readonly ColumnSteps[]): number {
  return steps.reduce((sum, step) => sum + statisticsOf(step), 0);
}

/** Counts and sums of one column. */
export function statisticsOf(step: ColumnSteps): number {
  return step.type === "number" ? step.bins + NUMBER_SUMS : step.categories;
}

/** Features that a row has after these steps. */
export function preparedLength(steps: readonly ColumnSteps[]): number {
  return steps.reduce((sum, step) => sum + widthOf(step), 0);
}

/** Features that a column becomes. */
export function widthOf(step: ColumnSteps): number {
  return step.type === "number" ? (step.indicate ? 2 : 1) : step.categories + (step.impute === "category" ? 1 : 0);
}

function checkName(name: string, features: readonly ValueColumn[], all: readonly { readonly name: string }[], refusals: Refusal[]): void {
  if (features.some((column) => column.name === name)) return;
  const meant = nearest(
    name,
    features.map((column) => column.name),
  );
  refusals.push({
    path: `preprocess.columns.${name}`,
    reason: all.some((column) => column.name === name) ? `The column "${name}" is no feature.` : `The dataset has no column "${name}".`,
    remedy: meant === undefined ? "Leave it out." : `Leave it out; did you mean "${meant}"?`,
  });
}

function numberSteps(column: ValueColumn & { readonly type: "number" }, options: PreprocessOptions, refusals: Refusal[]): NumberSteps {
  const path = `preprocess.columns.${column.name}`;
  const own = options.columns[column.name] ?? {};
  const { impute = options.numbers.impute, scale = options.numbers.scale, indicate = options.numbers.indicate, clip } = own;
  if (impute === "mode" || impute === "category") {
    refusals.push({
      path: `${path}.impute`,
      reason: `"${column.name}" is a column of numbers, which has no ${impute === "mode" ? "most frequent category" : "categories"}.`,
      remedy: "Use median or mean.",
      edits: [{ path: `${path}.impute`, value: "median" }],
    });
  }
  const bounds = clip ?? column.range;
  if (bounds === undefined) {
    refusals.push({
      path: `${path}.clip`,
      reason: `The schema declares no range for "${column.name}", so no party knows over which values to count; a range taken from the rows would tell of single ones.`,
      remedy: `Declare one in the schema at every party ("range": [low, high]), or write clip: [low, high] here.`,
    });
  } else if (!bounds.every((end) => Number.isFinite(Math.fround(end)))) {
    refusals.push({
      path: `${path}.clip`,
      reason: `Numbers are held in 32 bits, which end before ${bounds.find((end) => !Number.isFinite(Math.fround(end)))}; over all that they hold nothing can be counted.`,
      remedy: `Write what values of "${column.name}" can be, as clip: [low, high] here or as range in the schema at every party.`,
    });
  } else if (clip !== undefined && column.range !== undefined && (clip[0] > column.range[1] || clip[1] < column.range[0])) {
    refusals.push({
      path: `${path}.clip`,
      reason: `No value of "${column.name}" lies from ${clip[0]} to ${clip[1]}: its range is ${column.range[0]} to ${column.range[1]}.`,
      remedy: "Correct it.",
      edits: [{ path: `${path}.clip`, value: [...column.range] }],
    });
  }
  return {
    column: column.name,
    type: "number",
    bounds: bounds ?? [0, 1],
    impute: impute === "mode" || impute === "category" ? "none" : impute,
    scale,
    indicate,
    bins: options.bins,
  };
}

function categorySteps(column: CategoryColumn, options: PreprocessOptions, refusals: Refusal[]): CategorySteps {
  const path = `preprocess.columns.${column.name}`;
  const { impute = options.categories.impute, scale, clip, indicate } = options.columns[column.name] ?? {};
  const isOfNumbers = impute === "mean" || impute === "median";
  if (isOfNumbers) {
    refusals.push({
      path: `${path}.impute`,
      reason: `"${column.name}" is a column of categories, which have no ${impute}.`,
      remedy: "Use mode, or category.",
      edits: [{ path: `${path}.impute`, value: "mode" }],
    });
  }
  for (const [key, value] of Object.entries({ scale, clip, indicate })) {
    if (value === undefined) continue;
    refusals.push({
      path: `${path}.${key}`,
      reason: `"${column.name}" is a column of categories: it becomes one feature a category.`,
      remedy: key === "indicate" ? "Leave it out; impute: category gives missing cells a feature of their own." : "Leave it out.",
    });
  }
  return { column: column.name, type: "category", categories: categoryCount(column), impute: isOfNumbers ? "none" : impute };
}

function checkSize(steps: readonly ColumnSteps[], refusals: Refusal[]): void {
  const counts = statisticsLength(steps);
  if (counts > MAX_STATISTICS) {
    refusals.push({
      path: "preprocess.bins",
      reason: `The parties would upload ${counts} counts and sums, more than the ${MAX_STATISTICS} that are possible.`,
      remedy: "Use fewer bins.",
      edits: [{ path: "preprocess.bins", value: 16 }],
    });
  }
  const features = preparedLength(steps);
  if (features > MAX_FEATURES) {
    refusals.push({
      path: "preprocess",
      reason: `A row would have ${features} features, more than the ${MAX_FEATURES} that are possible.`,
      remedy: "Give columns of many categories the role ignore, or declare fewer categories.",
    });
  }
}
