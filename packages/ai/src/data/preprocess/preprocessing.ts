import { hashDocument } from "@ciphernx/core/spec";
import { z } from "zod";
import { categoryCount, type DatasetSchema, featureColumns, type ValueColumn } from "../dataset-schema.ts";

/** Bins of the histograms that stay with a model: enough to see whether other rows are like the ones it learnt from. */
export const KEPT_BINS = 16;

const count = z.int().min(0);

const numberColumn = z.strictObject({
  column: z.string().max(256),
  type: z.literal("number"),
  /** Values are moved to these ends before all else. */
  clip: z.tuple([z.number(), z.number()]),
  /** Stands in for a missing cell; null: none may be missing. */
  fill: z.number().nullable(),
  /** A feature is (value − offset) / divisor. */
  offset: z.number(),
  divisor: z.number().refine((divisor) => divisor > 0 && Number.isFinite(1 / divisor)),
  /** Whether a second feature is 1 where the cell was missing. */
  indicate: z.boolean(),
  /** Of the known training cells of all parties. */
  statistics: z.strictObject({
    missing: count,
    mean: z.number(),
    deviation: z.number().min(0),
    median: z.number(),
    histogram: z.array(count).length(KEPT_BINS),
  }),
});

const categoryColumn = z.strictObject({
  column: z.string().max(256),
  type: z.literal("category"),
  /** Each becomes one feature, 1 where the cell has it. */
  categories: z.int().min(1).max(100_001),
  /** Number of the category that stands in for a missing cell; null: none may be missing; "own": a feature of its own, after the others. */
  fill: z.union([z.int().min(0), z.literal("own"), z.null()]),
  statistics: z.strictObject({ missing: count, counts: z.array(count) }),
});

/**
 * What turns rows of a table into a model's inputs, fitted: part of the model, kept in its card. It holds sums over all parties' training
 * rows and what follows from them, never a row.
 */
export const preprocessingSchema = z
  .strictObject({
    version: z.literal(1),
    /** Training rows of all parties that were counted. */
    rows: count,
    columns: z.array(z.discriminatedUnion("type", [numberColumn, categoryColumn])).min(1),
  })
  .refine(
    ({ columns }) => columns.every((column) => column.type === "number" || column.statistics.counts.length === column.categories),
    "Each category has a count.",
  )
  .refine(
    ({ columns }) => columns.every((column) => column.type === "number" || typeof column.fill !== "number" || column.fill < column.categories),
    "What stands in for a missing cell is one of the categories.",
  );

export type Preprocessing = z.output<typeof preprocessingSchema>;
export type PreparedNumber = Extract<Preprocessing["columns"][number], { type: "number" }>;
export type PreparedCategory = Extract<Preprocessing["columns"][number], { type: "category" }>;

/** Features that a row has after a column was prepared. */
export function preparedWidth(column: Preprocessing["columns"][number]): number {
  return column.type === "number" ? (column.indicate ? 2 : 1) : column.categories + (column.fill === "own" ? 1 : 0);
}

/** Whether it is what a feature of a schema becomes: the same name and type, as many categories. */
export function isOfFeature(column: Preprocessing["columns"][number], feature: ValueColumn): boolean {
  if (column.column !== feature.name) return false;
  return column.type === "category" ? feature.type === "category" && column.categories === categoryCount(feature) : feature.type === "number";
}

/** Whether it prepares rows of a schema: they are read column by column, so both lists must be of the same features. */
export function isOfSchema({ columns }: Preprocessing, schema: DatasetSchema): boolean {
  const features = schema.kind === "table" ? featureColumns(schema) : [];
  return features.length === columns.length && columns.every((column, index) => isOfFeature(column, features[index]!));
}

/** Features of a row that was prepared. */
export function preparedFeatures({ columns }: Preprocessing): number {
  return columns.reduce((sum, column) => sum + preparedWidth(column), 0);
}

/**
 * Columns of numbers whose known cells show no spread: they are one value, or differ by so little of the declared range (a deviation of
 * less than about 1.5e-5 of it) that the sums cannot tell. Nothing scales them; where values do differ, a narrower range mends it.
 */
export function constantColumns({ columns }: Preprocessing): readonly string[] {
  return columns.flatMap((column) => (column.type === "number" && column.statistics.deviation === 0 ? [column.column] : []));
}

/** Its hash: what a model's lineage names. */
export function preprocessingHash(preprocessing: Preprocessing): string {
  return hashDocument("ciphernx/preprocessing/v1", preprocessing);
}
