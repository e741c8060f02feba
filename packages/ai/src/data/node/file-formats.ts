import type { CsvTableOptions } from "../csv/csv-examples.ts";
import type { DatasetSchema } from "../dataset-schema.ts";
import type { DatasetDescriptor } from "../descriptor.ts";
import type { Examples } from "../examples.ts";
import type { RowColumns } from "../table/table-rows.ts";
import type { ProposeOptions } from "../table/propose-schema.ts";
import { inferIdxFiles, loadIdxExamples } from "./idx-files.ts";
import type { ArrayPaths, LoadOptions } from "./load-options.ts";
import { inferNpyFiles, inferNpzFile, loadNpyExamples, loadNpzExamples, type NpzPart } from "./npy-files.ts";
import { inferCsvFiles, inferJsonlFiles, loadTable, parquetReader, readCsvFile, readJsonlFile } from "./table-files.ts";

export type DatasetFiles = DatasetDescriptor["files"];
export type FileFormatName = DatasetFiles["format"];
type FilesOf<Name extends FileFormatName> = Extract<DatasetFiles, { format: Name }>;
type Part<Name extends FileFormatName> = FilesOf<Name>["train"];

/** Rows of a part, and the texts of columns that were to be kept. */
export interface LoadedPart {
  readonly examples: Examples;
  readonly columns?: RowColumns;
}

export interface InferFilesOptions extends LoadOptions, Pick<ProposeOptions, "label"> {}

/** What is to be known of a format: a new one is an entry here, one in the descriptor's schema, and a reader. */
interface FileFormat<Name extends FileFormatName> {
  /** The paths of a part, each replaced. */
  move(part: Part<Name>, move: (path: string) => string): Part<Name>;
  /** The rows of a part whose paths can be opened as they are. */
  load(schema: DatasetSchema, part: Part<Name>, files: FilesOf<Name>, options: LoadOptions): Promise<LoadedPart>;
  /** The schema that the training files seem to have. */
  infer(files: FilesOf<Name>, options: InferFilesOptions): Promise<DatasetSchema>;
}

type Paths = string | string[];
const listOf = (paths: Paths): readonly string[] => (typeof paths === "string" ? [paths] : paths);
const movePaths = (paths: Paths, move: (path: string) => string): Paths => (typeof paths === "string" ? move(paths) : paths.map(move));
const movePair = ({ features, targets }: ArrayPaths, move: (path: string) => string) => ({ features: move(features), targets: move(targets) });

const csv: FileFormat<"csv"> = {
  move: movePaths,
  load: (schema, part, { delimiter, header }, options) => loadTable(schema, listOf(part), readCsvFile({ delimiter, header }), options),
  infer: ({ train, delimiter, header }, options) => inferCsvFiles(listOf(train), { ...options, delimiter, header } satisfies CsvTableOptions),
};

const jsonl: FileFormat<"jsonl"> = {
  move: movePaths,
  load: (schema, part, _files, options) => loadTable(schema, listOf(part), readJsonlFile, options),
  infer: ({ train }, options) => inferJsonlFiles(listOf(train), options),
};

const parquet: FileFormat<"parquet"> = {
  move: movePaths,
  load: async (schema, part, _files, options) => loadTable(schema, listOf(part), await parquetReader(), options),
  infer: async ({ train }, options) => (await import("./parquet/index.ts")).inferParquetFiles(listOf(train), options),
};

const idx: FileFormat<"idx"> = {
  move: movePair,
  load: async (schema, part, _files, options) => ({ examples: await loadIdxExamples(schema, part, options) }),
  infer: ({ train }, options) => inferIdxFiles(train, options),
};

const npy: FileFormat<"npy"> = {
  move: movePair,
  load: async (schema, part, _files, options) => ({ examples: await loadNpyExamples(schema, part, options) }),
  infer: ({ train }, options) => inferNpyFiles(train, options),
};

const npz: FileFormat<"npz"> = {
  move: (part: NpzPart, move) => ({ ...part, file: move(part.file) }),
  load: async (schema, part, _files, options) => ({ examples: await loadNpzExamples(schema, part, options) }),
  infer: ({ train }, options) => inferNpzFile(train, options),
};

const images: FileFormat<"images"> = {
  move: (folder, move) => move(folder),
  load: async (schema, part, { labels }, options) => ({
    examples: await (await import("./images/index.ts")).loadImageFolder(schema, part, labels, options),
  }),
  infer: async ({ train, labels }) => (await import("./images/index.ts")).inferImageFolder(train, labels),
};

const formats: { readonly [Name in FileFormatName]: FileFormat<Name> } = { csv, jsonl, parquet, idx, npy, npz, images };

/** The format of files; the names of both are tied by the descriptor's schema, which the compiler cannot follow through a union. */
function formatOf<Name extends FileFormatName>(files: FilesOf<Name>): FileFormat<Name> {
  return formats[files.format];
}

/** The same files with every path replaced. */
export function moveFiles<Name extends FileFormatName>(files: FilesOf<Name>, move: (path: string) => string): DatasetFiles {
  const format = formatOf<Name>(files);
  const moved: object = {
    ...files,
    train: format.move(files.train as Part<Name>, move),
    ...(files.test === undefined ? {} : { test: format.move(files.test as Part<Name>, move) }),
  };
  return moved as DatasetFiles;
}

/** The rows of a part; undefined when the files have no such part. */
export async function loadPart<Name extends FileFormatName>(
  schema: DatasetSchema,
  files: FilesOf<Name>,
  part: "train" | "test",
  options: LoadOptions,
): Promise<LoadedPart | undefined> {
  const paths = files[part] as Part<Name> | undefined;
  return paths === undefined ? undefined : formatOf<Name>(files).load(schema, paths, files, options);
}

/** Proposes the schema of files by reading the training files once. */
export function inferSchema<Name extends FileFormatName>(files: FilesOf<Name>, options: InferFilesOptions): Promise<DatasetSchema> {
  return formatOf<Name>(files).infer(files, options);
}
