import { dirname, resolve } from "node:path";
import { NexusError } from "@ciphernx/core/errors";
import { type CsvTableOptions, readCsvExamples } from "../csv/csv-examples.ts";
import { inferCsvSchema, type InferOptions } from "../csv/infer-csv-schema.ts";
import { createDataset, type Dataset } from "../dataset.ts";
import type { DatasetSchema, TableSchema, TensorSchema } from "../dataset-schema.ts";
import type { DatasetDescriptor } from "../descriptor.ts";
import { concatenateExamples, type Examples } from "../examples.ts";
import { holdOutRows } from "../hold-out.ts";
import { type IdxArray, parseIdx } from "../idx/idx-array.ts";
import { idxExamples } from "../idx/idx-examples.ts";
import { inferIdxSchema } from "../idx/infer-idx-schema.ts";
import { readDescriptor } from "./descriptor-file.ts";
import { readFileBytes, readFileChunks } from "./read-file.ts";

export interface LoadOptions {
  readonly signal?: AbortSignal;
}

/** Where features and labels of a part lie. */
export interface IdxPaths {
  readonly features: string;
  readonly targets: string;
}

/**
 * Loads the dataset that a descriptor refers to.
 * @throws NexusError DATA_UNREADABLE naming a file that is not there or may not be read; DATA_INVALID naming file, row and column
 *   of what is not as the schema declares.
 */
export async function loadDataset(descriptorPath: string, options: LoadOptions = {}): Promise<Dataset> {
  return loadDescribed(await readDescriptor(descriptorPath), dirname(descriptorPath), options);
}

/** Loads what a descriptor that lies, or is about to lie, in a folder refers to; errors as `loadDataset`. */
export async function loadDescribed({ schema, files, holdOut }: DatasetDescriptor, folder: string, options: LoadOptions = {}): Promise<Dataset> {
  const load = partLoader(schema, files, resolve(folder), options);
  const all = await load("train");
  const test = await load("test");
  if (all === undefined) throw new NexusError("INTERNAL", "A dataset's descriptor was parsed, but names no training files.");
  if (holdOut === undefined) return createDataset(schema, all, test);
  const parts = holdOutRows(schema, all, holdOut);
  return createDataset(schema, parts.train, parts.test);
}

type PartLoader = (part: "train" | "test") => Promise<Examples | undefined>;

function partLoader(schema: DatasetSchema, files: DatasetDescriptor["files"], folder: string, options: LoadOptions): PartLoader {
  if (files.format === "idx") {
    return async (part) => {
      const pair = files[part];
      if (pair === undefined) return undefined;
      return loadIdxExamples(schema, { features: resolve(folder, pair.features), targets: resolve(folder, pair.targets) }, options);
    };
  }
  if (schema.kind !== "table") throw new NexusError("DATA_INVALID", "CSV files hold a table, and the schema is a tensor.");
  return async (part) => {
    const paths = files[part];
    if (paths === undefined) return undefined;
    const absolute = (Array.isArray(paths) ? paths : [paths]).map((path) => resolve(folder, path));
    return loadCsvExamples(schema, absolute, { ...options, delimiter: files.delimiter, header: files.header });
  };
}

/** Rows of CSV files on disk, one file's after another's; errors as `loadDataset`. */
export async function loadCsvExamples(schema: TableSchema, paths: readonly string[], options: CsvTableOptions = {}): Promise<Examples> {
  const parts: Examples[] = [];
  for (const path of paths) parts.push(await readCsvExamples(readFileChunks(path, streamOptions(options)), schema, { ...options, source: path }));
  return concatenateExamples(schema, parts);
}

/** An IDX file on disk; errors as `loadDataset`. */
export async function loadIdx(path: string, options: LoadOptions = {}): Promise<IdxArray> {
  return parseIdx(await readFileBytes(path, options), path);
}

/** Rows of a pair of IDX files on disk; errors as `loadDataset`. */
export async function loadIdxExamples(schema: DatasetSchema, paths: IdxPaths, options: LoadOptions = {}): Promise<Examples> {
  const [features, targets] = await Promise.all([loadIdx(paths.features, options), loadIdx(paths.targets, options)]);
  return idxExamples(schema, { features, targets, featuresSource: paths.features, targetsSource: paths.targets });
}

/** Proposes the schema that CSV files on disk have in common, see `inferCsvSchema`. */
export async function inferCsvFiles(paths: readonly string[], options: InferOptions = {}): Promise<TableSchema> {
  return inferCsvSchema(
    paths.map((path) => ({ source: path, chunks: readFileChunks(path, streamOptions(options)) })),
    options,
  );
}

/** Proposes the schema of a pair of IDX files on disk, see `inferIdxSchema`. */
export async function inferIdxFiles(paths: IdxPaths, options: LoadOptions & { readonly classes?: number } = {}): Promise<TensorSchema> {
  const [features, targets] = await Promise.all([loadIdx(paths.features, options), loadIdx(paths.targets, options)]);
  return inferIdxSchema(features, targets, { source: paths.features, ...(options.classes === undefined ? {} : { classes: options.classes }) });
}

/** CSV is read in a stream, so a file may be far larger than memory; its rows are what must fit. */
function streamOptions({ signal }: CsvTableOptions): { maxBytes: number; signal?: AbortSignal } {
  return { maxBytes: Number.MAX_SAFE_INTEGER, ...(signal === undefined ? {} : { signal }) };
}
