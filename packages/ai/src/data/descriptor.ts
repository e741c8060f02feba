import { nameSchema, seedSchema } from "@ciphernx/core/spec";
import { z } from "zod";
import { CSV_DELIMITERS } from "./csv/csv-records.ts";
import { type DatasetSchema, datasetSchema } from "./dataset-schema.ts";
import { termsSchema } from "./terms.ts";

const path = z.string().min(1).max(4_096).describe("Path, absolute or relative to the descriptor's folder; gzip is recognised");

const paths = z.union([path, z.array(path).min(1).max(10_000)]).describe("One file, or several whose rows follow one another");

const csvFiles = z.strictObject({
  format: z.literal("csv").describe("Text in columns"),
  train: paths,
  test: paths.optional(),
  delimiter: z.enum(CSV_DELIMITERS).default(",").describe("What stands between cells"),
  header: z.boolean().default(true).describe("Whether the first row names the columns"),
});

const jsonlFiles = z.strictObject({
  format: z.literal("jsonl").describe("One JSON object a line"),
  train: paths,
  test: paths.optional(),
});

const parquetFiles = z.strictObject({
  format: z.literal("parquet").describe("Parquet files of flat columns"),
  train: paths,
  test: paths.optional(),
});

const arrayPair = z.strictObject({ features: path, targets: path });
const idxFiles = z.strictObject({
  format: z.literal("idx").describe("IDX arrays, such as MNIST's"),
  train: arrayPair,
  test: arrayPair.optional(),
});

const npyFiles = z.strictObject({
  format: z.literal("npy").describe("NumPy arrays, one a file"),
  train: arrayPair,
  test: arrayPair.optional(),
});

const arrayName = z.string().min(1).max(256);
const npzPart = z.strictObject({
  file: path.describe("The archive; train and test may lie in one"),
  features: arrayName.describe("The features' name in the archive"),
  targets: arrayName.describe("The labels' name in the archive"),
});
const npzFiles = z.strictObject({
  format: z.literal("npz").describe("NumPy arrays in an archive"),
  train: npzPart,
  test: npzPart.optional(),
});

const imageFiles = z.strictObject({
  format: z.literal("images").describe("A folder with a folder of PNG or JPEG images for each class"),
  train: path,
  test: path.optional(),
  labels: z.array(z.string().min(1).max(256)).min(2).max(100_000).describe("The folders' names in the order of their class indices"),
});

/** The share of the training rows that is held out for evaluation where there are no test files. */
export const holdOutSchema = z.strictObject({
  fraction: z.number().gt(0).lt(1).default(0.2).describe("Share of the rows"),
  seed: seedSchema.default(0).describe("Seed of the draw"),
  stratify: z.boolean().optional().describe("Hold out the same share of each class, at least one row of a class that has two; default false"),
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
    files: z
      .discriminatedUnion("format", [csvFiles, jsonlFiles, parquetFiles, idxFiles, npyFiles, npzFiles, imageFiles])
      .describe("Where the rows are"),
    holdOut: holdOutSchema.optional().describe("Rows to hold out; not beside test files"),
    terms: termsSchema.optional().describe("What the owner allows; default: every run"),
  })
  .superRefine(({ files, schema, holdOut }, context) => {
    const mistake = formatMistake(files, schema);
    if (mistake !== undefined) context.addIssue({ code: "custom", path: ["files", "format"], message: mistake });
    if (files.test !== undefined && holdOut !== undefined) {
      context.addIssue({ code: "custom", path: ["holdOut"], message: "The test rows come from their own files or are held out, not both." });
    }
    if (holdOut?.stratify === true && schema.task !== "classification") {
      context.addIssue({ code: "custom", path: ["holdOut", "stratify"], message: "Only a classification has classes to hold out alike." });
    }
  });

/** Formats whose files hold named columns, by their names for people. */
const TABLE_FORMATS: Readonly<Record<string, string>> = { csv: "CSV", jsonl: "JSONL", parquet: "Parquet" };

function formatMistake(files: { readonly format: string; readonly labels?: readonly string[] }, schema: DatasetSchema): string | undefined {
  const table = TABLE_FORMATS[files.format];
  if (table !== undefined && schema.kind !== "table") return `${table} files hold a table, and the schema is a tensor.`;
  if (files.labels === undefined) return undefined;
  if (schema.kind !== "tensor" || schema.classes === undefined) return "Images in folders are a classification of tensors, and the schema is none.";
  if (schema.classes !== files.labels.length) return `The schema has ${schema.classes} classes, and ${files.labels.length} folders are named.`;
  const { classNames = files.labels } = schema;
  const other = files.labels.findIndex((label, index) => label !== classNames[index]);
  return other === -1 ? undefined : `Class ${other} is called "${classNames[other]}" in the schema, and its folder "${files.labels[other]}".`;
}

/** A parsed descriptor, defaults filled in. */
export type DatasetDescriptor = z.output<typeof descriptorSchema>;
/** A descriptor as it is written. */
export type DatasetDescriptorInput = z.input<typeof descriptorSchema>;
export type HoldOut = z.output<typeof holdOutSchema>;
