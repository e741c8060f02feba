import { nameSchema, seedSchema } from "@ciphernx/core/spec";
import { z } from "zod";
import { CSV_DELIMITERS } from "./csv/csv-records.ts";
import { datasetSchema } from "./dataset-schema.ts";

const path = z.string().min(1).max(4_096).describe("Path, absolute or relative to the descriptor's folder; gzip is recognised");

const paths = z.union([path, z.array(path).min(1).max(10_000)]).describe("One file, or several whose rows follow one another");

const csvFiles = z.strictObject({
  format: z.literal("csv").describe("Text in columns"),
  train: paths,
  test: paths.optional(),
  delimiter: z.enum(CSV_DELIMITERS).default(",").describe("What stands between cells"),
  header: z.boolean().default(true).describe("Whether the first row names the columns"),
});

const idxPair = z.strictObject({ features: path, targets: path });
const idxFiles = z.strictObject({
  format: z.literal("idx").describe("IDX arrays, such as MNIST's"),
  train: idxPair,
  test: idxPair.optional(),
});

/** The share of the training rows that is held out for evaluation where there are no test files. */
export const holdOutSchema = z.strictObject({
  fraction: z.number().gt(0).lt(1).default(0.2).describe("Share of the rows"),
  seed: seedSchema.default(0).describe("Seed of the draw"),
});

/**
 * A dataset by reference: what `<node's folder>/datasets/<name>.json` holds. It never leaves the node; only the schema, the
 * counts and the content hash are registered.
 */
export const descriptorSchema = z
  .strictObject({
    formatVersion: z.literal(1).describe("Version of this file's form"),
    name: nameSchema.describe("The dataset's name; the file is called after it"),
    schema: datasetSchema,
    files: z.discriminatedUnion("format", [csvFiles, idxFiles]).describe("Where the rows are"),
    holdOut: holdOutSchema.optional().describe("Rows to hold out; not beside test files"),
  })
  .superRefine(({ files, schema, holdOut }, context) => {
    if (files.format === "csv" && schema.kind !== "table")
      context.addIssue({ code: "custom", path: ["files", "format"], message: "CSV files hold a table, and the schema is a tensor." });
    if (files.test !== undefined && holdOut !== undefined) {
      context.addIssue({ code: "custom", path: ["holdOut"], message: "The test rows come from their own files or are held out, not both." });
    }
  });

/** A parsed descriptor, defaults filled in. */
export type DatasetDescriptor = z.output<typeof descriptorSchema>;
/** A descriptor as it is written. */
export type DatasetDescriptorInput = z.input<typeof descriptorSchema>;
export type HoldOut = z.output<typeof holdOutSchema>;
