import { dirname, relative, resolve } from "node:path";
import { NexusError } from "@ciphernx/core/errors";
import { findMistakes, readDocument } from "@ciphernx/core/spec";
import { CSV_DELIMITERS } from "../csv/csv-records.ts";
import { type DatasetSchema, datasetSchema } from "../dataset-schema.ts";
import type { DatasetDescriptor, HoldOut } from "../descriptor.ts";
import { countMissing, type MissingCells } from "../missing-cells.ts";
import { descriptorPath, parseDescriptor, writeDescriptor } from "./descriptor-file.ts";
import { type IdxPaths, inferCsvFiles, inferIdxFiles, loadDescribed, type LoadOptions } from "./load-dataset.ts";
import { readFileBytes } from "./read-file.ts";

/** As long as a spec may be. */
const MAX_SCHEMA_BYTES = 4_000_000;
/** A tab is hard to type in a shell. */
const TAB_SPELLINGS: readonly string[] = ["tab", "\\t"];

/** What `nexus dataset add` is told. Paths are relative to the working directory; either IDX files or CSV files are named. */
export interface AddDatasetOptions extends LoadOptions {
  readonly name: string;
  /** The node's folder. */
  readonly folder: string;
  readonly trainImages?: string | undefined;
  readonly trainLabels?: string | undefined;
  readonly testImages?: string | undefined;
  readonly testLabels?: string | undefined;
  readonly csv?: readonly string[] | undefined;
  readonly testCsv?: readonly string[] | undefined;
  /** YAML or JSON file with the schema; default: inferred from the training files. */
  readonly schema?: string | undefined;
  /** CSV without a schema: the column to predict. Default: the one called label, target, class or y. */
  readonly label?: string | undefined;
  readonly delimiter?: string | undefined;
  /** Rows to hold out where no test files are named. */
  readonly holdOut?: HoldOut | undefined;
}

/** A dataset that was described. */
export interface AddedDataset {
  readonly name: string;
  readonly descriptorPath: string;
  readonly schema: DatasetSchema;
  readonly trainExamples: number;
  readonly testExamples: number;
  readonly contentHash: string;
  /** Features that have missing cells: they must be filled in or left out before training. */
  readonly missing: readonly MissingCells[];
}

/**
 * Describes data where it lies: infers or reads its schema, reads every row once to see that it fits, and only then writes
 * the descriptor into the node's folder. No row is copied.
 * @throws NexusError USAGE when the files named make no dataset; DATA_UNREADABLE, DATA_INVALID as loading does.
 */
export async function addDataset(options: AddDatasetOptions): Promise<AddedDataset> {
  const target = descriptorPath(options.folder, options.name);
  const files = options.csv === undefined ? idxFiles(options) : csvFiles(options, options.csv);
  const schema = options.schema === undefined ? await inferSchema(files, options) : await readSchemaFile(options.schema);
  const draft = {
    formatVersion: 1,
    name: options.name,
    schema,
    files: relativeTo(files, dirname(target)),
    ...defined("holdOut", options.holdOut),
  } as const;
  const descriptor = parseDescriptor(draft, target);
  const dataset = await loadDescribed(descriptor, dirname(target), options);
  await writeDescriptor(options.folder, descriptor);
  return {
    name: options.name,
    descriptorPath: target,
    schema,
    trainExamples: dataset.train.count,
    testExamples: dataset.test?.count ?? 0,
    contentHash: dataset.contentHash,
    missing: countMissing(dataset),
  };
}

type Files = DatasetDescriptor["files"];

function defined<K extends string, V>(key: K, value: V | undefined): { readonly [key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [key in K]: V });
}

function oneOrMore(paths: readonly string[]): string | string[] {
  const [first] = paths;
  return first !== undefined && paths.length === 1 ? first : [...paths];
}

function idxFiles({ trainImages, trainLabels, testImages, testLabels }: AddDatasetOptions): Files {
  if (trainImages === undefined || trainLabels === undefined) {
    throw new NexusError("USAGE", "No training files are named.", {
      hint: "Name a CSV file with --csv, or IDX files with --train-images and --train-labels.",
    });
  }
  if ((testImages === undefined) !== (testLabels === undefined)) {
    throw new NexusError("USAGE", "Test images and test labels go together.", { hint: "Name both --test-images and --test-labels, or neither." });
  }
  const test = testImages === undefined || testLabels === undefined ? undefined : { features: testImages, targets: testLabels };
  return { format: "idx", train: { features: trainImages, targets: trainLabels }, ...defined("test", test) };
}

function csvFiles(options: AddDatasetOptions, csv: readonly string[]): Files {
  const { testCsv, delimiter = ",", trainImages, trainLabels, testImages, testLabels } = options;
  if ([trainImages, trainLabels, testImages, testLabels].some((file) => file !== undefined)) {
    throw new NexusError("USAGE", "A dataset is read from CSV or from IDX files, not from both.", { hint: "Leave one of them out." });
  }
  if (csv.length === 0) throw new NexusError("USAGE", "No training files are named.", { hint: "Name a CSV file with --csv." });
  const known = TAB_SPELLINGS.includes(delimiter) ? "\t" : CSV_DELIMITERS.find((one) => one === delimiter);
  if (known === undefined)
    throw new NexusError("USAGE", `${JSON.stringify(delimiter)} delimits no cells.`, { hint: 'Delimiters are "," ";" "|" and tab.' });
  return {
    format: "csv",
    train: oneOrMore(csv),
    ...defined("test", testCsv === undefined ? undefined : oneOrMore(testCsv)),
    delimiter: known,
    header: true,
  };
}

function inferSchema(files: Files, { label, signal }: AddDatasetOptions): Promise<DatasetSchema> {
  if (files.format === "idx") return inferIdxFiles(files.train, defined("signal", signal));
  const paths = typeof files.train === "string" ? [files.train] : files.train;
  return inferCsvFiles(paths, { delimiter: files.delimiter, header: files.header, ...defined("label", label), ...defined("signal", signal) });
}

/** The same files as seen from the descriptor's folder, so that a node's folder and its data can be moved together. */
function relativeTo(files: Files, folder: string): Files {
  const move = (path: string): string => relative(folder, resolve(path));
  const moveAll = (paths: string | string[]): string | string[] => (typeof paths === "string" ? move(paths) : paths.map(move));
  const movePair = ({ features, targets }: IdxPaths): IdxPaths => ({ features: move(features), targets: move(targets) });
  if (files.format === "idx") return { ...files, train: movePair(files.train), ...defined("test", files.test && movePair(files.test)) };
  return { ...files, train: moveAll(files.train), ...defined("test", files.test === undefined ? undefined : moveAll(files.test)) };
}

async function readSchemaFile(path: string): Promise<DatasetSchema> {
  const invalid = (what: string, cause?: unknown): NexusError =>
    new NexusError("DATA_INVALID", `${path} is not the schema of a dataset: ${what}`, {
      hint: "Mend what the message names.",
      details: { file: path },
      cause,
    });
  const bytes = await readFileBytes(path, { maxBytes: MAX_SCHEMA_BYTES });
  let document: unknown;
  try {
    document = readDocument(new TextDecoder("utf-8", { fatal: true }).decode(bytes), path);
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error), error);
  }
  const parsed = datasetSchema.safeParse(document);
  if (parsed.success) return parsed.data;
  throw invalid(
    `\n${findMistakes(datasetSchema, document)
      .map((mistake) => `  ${mistake.path}: ${mistake.reason} ${mistake.remedy}`)
      .join("\n")}`,
  );
}
