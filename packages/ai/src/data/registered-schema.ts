import { z } from "zod";
import type { Dataset } from "./dataset.ts";
import { type DatasetSchema, tableSchema, tensorSchema } from "./dataset-schema.ts";
import { missingCellsSchema, registeredMissing } from "./missing-cells.ts";

/** What a party says of data that only its own trainer reads: nothing but a description. */
export const opaqueSchema = z.strictObject({
  kind: z.literal("opaque").describe("Only the party's own trainer knows the rows"),
  description: z.string().max(1_000).optional().describe("What the data is, for people"),
});

const counted = { missingCells: missingCellsSchema.optional() };

/**
 * What is registered of a dataset: its rows' schema with the counts of their missing cells, or that only the party's own trainer knows
 * them.
 */
export const registeredSchema = z.discriminatedUnion("kind", [tableSchema.safeExtend(counted), tensorSchema.safeExtend(counted), opaqueSchema]);

export type OpaqueSchema = z.output<typeof opaqueSchema>;
export type RegisteredSchema = z.output<typeof registeredSchema>;
/** What the rows are, without a count of any party's rows: what all parties of a run have in common. */
export type RowSchema = DatasetSchema | OpaqueSchema;

/** What a party registers of a dataset, beside its name: nothing of the rows but counts and their hash. */
export interface DatasetFacts {
  readonly schema: RegisteredSchema;
  readonly trainExamples: number;
  readonly testExamples: number;
  /** SHA-256 of schema and rows, see `contentHash`. */
  readonly contentHash: string;
}

/** What a party registers of a dataset that it holds; the schema carries the counts of missing cells where there are any. */
export function describeDataset(dataset: Dataset): DatasetFacts {
  const { schema, train, test, contentHash } = dataset;
  const missingCells = registeredMissing(dataset);
  return {
    schema: missingCells.length === 0 ? schema : { ...schema, missingCells: [...missingCells] },
    trainExamples: train.count,
    testExamples: test?.count ?? 0,
    contentHash,
  };
}

/** The part of a registration that every party of a run must declare alike. */
export function rowSchema(registered: RegisteredSchema): RowSchema {
  if (registered.kind === "opaque") return registered;
  const { missingCells: _, ...schema } = registered;
  return schema;
}
