import { NexusError } from "@ciphernx/core/errors";
import { type CsvTableOptions, readCsvInto } from "../csv/csv-examples.ts";
import { inferCsvSchema, type InferOptions } from "../csv/infer-csv-schema.ts";
import type { DatasetSchema, TableSchema } from "../dataset-schema.ts";
import type { Examples } from "../examples.ts";
import { inferJsonlSchema } from "../jsonl/infer-jsonl-schema.ts";
import { readJsonlInto } from "../jsonl/jsonl-examples.ts";
import type { ProposeOptions } from "../table/propose-schema.ts";
import { createTableRows, type RowColumns, type TableRows } from "../table/table-rows.ts";
import type { LoadOptions } from "./load-options.ts";
import { readFileChunks, type ReadOptions } from "./read-file.ts";

/** Adds the rows of a file to others. */
export type TableFileReader = (rows: TableRows, path: string, schema: TableSchema, options: LoadOptions) => Promise<void>;

/** Rows of several files of one format, one file's after another's; errors as `loadDataset`. */
export async function loadTable(
  schema: DatasetSchema,
  paths: readonly string[],
  read: TableFileReader,
  options: LoadOptions = {},
): Promise<{ readonly examples: Examples; readonly columns: RowColumns }> {
  if (schema.kind !== "table") throw new NexusError("DATA_INVALID", "The files hold a table, and the schema is a tensor.");
  const { keep = [] } = options;
  for (const name of keep) {
    if (schema.columns.some((column) => column.name === name)) continue;
    throw new NexusError("DATA_INVALID", `The schema has no column "${name}".`, {
      hint: `Its columns are: ${schema.columns
        .map((column) => column.name)
        .slice(0, 20)
        .join(", ")}.`,
      details: { column: name },
    });
  }
  const rows = createTableRows(schema, keep);
  for (const path of paths) await read(rows, path, schema, options);
  return { examples: rows.finish(), columns: rows.kept };
}

/** Reads CSV of a form. */
export function readCsvFile(form: Pick<CsvTableOptions, "delimiter" | "header">): TableFileReader {
  return (rows, path, schema, options) =>
    readCsvInto(rows, readFileChunks(path, streamOptions(options)), schema, { ...options, ...form, source: path });
}

/** Reads JSONL. */
export const readJsonlFile: TableFileReader = (rows, path, schema, options) =>
  readJsonlInto(rows, readFileChunks(path, streamOptions(options)), schema, { ...options, source: path });

/** Rows of CSV files on disk, one file's after another's; errors as `loadDataset`. */
export async function loadCsvExamples(schema: TableSchema, paths: readonly string[], options: CsvTableOptions = {}): Promise<Examples> {
  return (await loadTable(schema, paths, readCsvFile(options), options)).examples;
}

/** Rows of JSONL files on disk, one file's after another's; errors as `loadDataset`. */
export async function loadJsonlExamples(schema: TableSchema, paths: readonly string[], options: LoadOptions = {}): Promise<Examples> {
  return (await loadTable(schema, paths, readJsonlFile, options)).examples;
}

/** Rows of Parquet files on disk, one file's after another's; errors as `loadDataset`. */
export async function loadParquetExamples(schema: TableSchema, paths: readonly string[], options: LoadOptions = {}): Promise<Examples> {
  return (await loadTable(schema, paths, await parquetReader(), options)).examples;
}

/** Reads Parquet; the decoder is loaded only where there is something to decode. */
export async function parquetReader(): Promise<TableFileReader> {
  return (await import("./parquet/index.ts")).readParquetInto;
}

/** Proposes the schema that CSV files on disk have in common, see `inferCsvSchema`. */
export async function inferCsvFiles(paths: readonly string[], options: InferOptions = {}): Promise<TableSchema> {
  return inferCsvSchema(
    paths.map((path) => ({ source: path, chunks: readFileChunks(path, streamOptions(options)) })),
    options,
  );
}

/** Proposes the schema that JSONL files on disk have in common, see `inferJsonlSchema`. */
export async function inferJsonlFiles(paths: readonly string[], options: ProposeOptions & LoadOptions = {}): Promise<TableSchema> {
  return inferJsonlSchema(
    paths.map((path) => ({ source: path, chunks: readFileChunks(path, streamOptions(options)) })),
    options,
  );
}

/** Text is read in a stream, so a file may be far larger than memory; its rows are what must fit. */
function streamOptions({ signal }: LoadOptions): ReadOptions {
  return { maxBytes: Number.MAX_SAFE_INTEGER, reuse: true, ...(signal === undefined ? {} : { signal }) };
}
