import { stat } from "node:fs/promises";
import { extname } from "node:path";
import { NexusError, plural } from "@ciphernx/core/errors";
import { CSV_DELIMITERS, type CsvDelimiter } from "../csv/csv-records.ts";
import type { DatasetFiles } from "./file-formats.ts";
import { listNpzArrays, type NpzPart } from "./npy-files.ts";

/** The files that a dataset is to be made of, as they are named on a command line: either arrays, CSV, or files of any format. */
export interface NamedFiles {
  /** IDX files, or NPY files by their names. */
  readonly trainImages?: string | undefined;
  readonly trainLabels?: string | undefined;
  readonly testImages?: string | undefined;
  readonly testLabels?: string | undefined;
  readonly csv?: readonly string[] | undefined;
  readonly testCsv?: readonly string[] | undefined;
  /** Files told by their names: .csv, .tsv, .jsonl, .ndjson, .parquet (several of one format follow one another), one .npz, or a folder of images. */
  readonly data?: readonly string[] | undefined;
  readonly testData?: readonly string[] | undefined;
  readonly delimiter?: string | undefined;
  /** Names of the classes of images in the order of their numbers. Default: the folders, sorted. */
  readonly classNames?: readonly string[] | undefined;
}

/** A tab is hard to type in a shell. */
const TAB_SPELLINGS: readonly string[] = ["tab", "\\t"];

/** Names of features and labels that archives commonly use; for training and, where the archive has them, for testing. */
const NPZ_NAMES: readonly { readonly train: readonly [string, string]; readonly test?: readonly [string, string] }[] = [
  { train: ["x_train", "y_train"], test: ["x_test", "y_test"] },
  { train: ["X_train", "y_train"], test: ["X_test", "y_test"] },
  { train: ["train_images", "train_labels"], test: ["test_images", "test_labels"] },
  { train: ["x", "y"] },
  { train: ["X", "y"] },
  { train: ["features", "targets"] },
  { train: ["features", "labels"] },
  { train: ["images", "labels"] },
];

/**
 * Turns named files into those of a descriptor.
 * @throws NexusError USAGE when they make no dataset; DATA_UNREADABLE, DATA_INVALID where a file must be opened to tell.
 */
export async function chooseFiles(named: NamedFiles): Promise<DatasetFiles> {
  const arrays = [named.trainImages, named.trainLabels, named.testImages, named.testLabels].some((file) => file !== undefined);
  const ways = [arrays, named.csv !== undefined, named.data !== undefined].filter(Boolean).length;
  if (ways > 1) throw usage("A dataset is read from files of one kind.", "Leave the others out.");
  if (named.data !== undefined) return anyFiles(named.data, named);
  return named.csv === undefined ? arrayFiles(named) : csvFiles(named.csv, named.testCsv, named.delimiter);
}

const usage = (what: string, hint: string): NexusError => new NexusError("USAGE", what, { hint });

function optional<K extends string, V>(key: K, value: V | undefined): { readonly [key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [key in K]: V });
}

function oneOrMore(paths: readonly string[]): string | string[] {
  const [first] = paths;
  return first !== undefined && paths.length === 1 ? first : [...paths];
}

const oneOrMoreTest = (paths: readonly string[] | undefined) => optional("test", paths === undefined ? undefined : oneOrMore(paths));

function arrayFiles({ trainImages, trainLabels, testImages, testLabels }: NamedFiles): DatasetFiles {
  if (trainImages === undefined || trainLabels === undefined) {
    throw usage("No training files are named.", "Name a CSV file with --csv, or IDX files with --train-images and --train-labels.");
  }
  if ((testImages === undefined) !== (testLabels === undefined)) {
    throw usage("Test images and test labels go together.", "Name both --test-images and --test-labels, or neither.");
  }
  const test = testImages === undefined || testLabels === undefined ? undefined : { features: testImages, targets: testLabels };
  const format = extensionOf(trainImages) === ".npy" ? "npy" : "idx";
  return { format, train: { features: trainImages, targets: trainLabels }, ...optional("test", test) };
}

function csvFiles(csv: readonly string[], testCsv: readonly string[] | undefined, delimiter = ","): DatasetFiles {
  if (csv.length === 0) throw usage("No training files are named.", "Name a CSV file with --csv.");
  const known: CsvDelimiter | undefined = TAB_SPELLINGS.includes(delimiter) ? "\t" : CSV_DELIMITERS.find((one) => one === delimiter);
  if (known === undefined) throw usage(`${JSON.stringify(delimiter)} delimits no cells.`, 'Delimiters are "," ";" "|" and tab.');
  return { format: "csv", train: oneOrMore(csv), ...oneOrMoreTest(testCsv), delimiter: known, header: true };
}

/** The end of a file's name in lower case, that of a packed one without `.gz`. */
export function extensionOf(path: string): string {
  const lower = path.toLowerCase();
  return extname(lower.endsWith(".gz") ? lower.slice(0, -3) : lower);
}

async function anyFiles(data: readonly string[], { testData, delimiter, classNames }: NamedFiles): Promise<DatasetFiles> {
  const [first] = data;
  if (first === undefined) throw usage("No training files are named.", "Name a file.");
  if (await isFolder(first)) return imageFiles(first, data.length, testData, classNames);
  const extension = extensionOf(first);
  const other = [...data, ...(testData ?? [])].find((path) => extensionOf(path) !== extension);
  if (other !== undefined) throw usage(`${first} and ${other} are of different formats.`, "Name files of one format.");
  switch (extension) {
    case ".csv":
      return csvFiles(data, testData, delimiter);
    case ".tsv":
      return csvFiles(data, testData, delimiter ?? "\t");
    case ".jsonl":
    case ".ndjson":
      return { format: "jsonl", train: oneOrMore(data), ...oneOrMoreTest(testData) };
    case ".parquet":
      return { format: "parquet", train: oneOrMore(data), ...oneOrMoreTest(testData) };
    case ".npz":
      return npzFiles(first, data.length, testData);
    default:
      throw usage(
        `The format of ${first} cannot be told from its name.`,
        "Data files end in .csv, .tsv, .jsonl, .ndjson, .parquet or .npz, text also in .gz after it; images lie in a folder.",
      );
  }
}

async function isFolder(path: string): Promise<boolean> {
  // Whoever opens it says what is wrong with it.
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function imageFiles(train: string, count: number, testData: readonly string[] = [], classNames?: readonly string[]): Promise<DatasetFiles> {
  const [test] = testData;
  if (count > 1 || testData.length > 1)
    throw usage("Of folders of images one is named for training and one for testing.", "Put all images into one folder.");
  const { listLabels } = await import("./images/index.ts");
  const labels = classNames ?? (await listLabels(train));
  if (labels.length < 2) {
    throw new NexusError("DATA_INVALID", `${train} holds ${plural(labels.length, "folder")} of images; a classification has at least two.`, {
      hint: "Put images of one class into one folder: <folder>/<label>/<image>.png.",
      details: { file: train },
    });
  }
  return { format: "images", train, ...optional("test", test), labels: [...labels] };
}

async function npzFiles(file: string, count: number, testData: readonly string[] = []): Promise<DatasetFiles> {
  const [testFile] = testData;
  if (count > 1 || testData.length > 1)
    throw usage("Of NPZ archives one is named for training and one for testing.", "Put all rows into one archive.");
  const { train, test } = await findArrays(file);
  if (testFile !== undefined) return { format: "npz", train, test: (await findArrays(testFile)).train };
  return { format: "npz", train, ...optional("test", test) };
}

async function findArrays(file: string): Promise<{ readonly train: NpzPart; readonly test?: NpzPart }> {
  const names = await listNpzArrays(file);
  const part = (pair: readonly [string, string] | undefined): NpzPart | undefined =>
    pair !== undefined && pair.every((name) => names.includes(name)) ? { file, features: pair[0], targets: pair[1] } : undefined;
  for (const { train, test } of NPZ_NAMES) {
    const found = part(train);
    if (found !== undefined) return { train: found, ...optional("test", part(test)) };
  }
  throw new NexusError("DATA_INVALID", `${file} does not tell which of its arrays are features and labels.`, {
    hint: `Call them x and y, or x_train, y_train, x_test and y_test; its arrays are: ${names.slice(0, 20).join(", ") || "none"}.`,
    details: { file },
  });
}
