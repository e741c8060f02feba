import { NexusError } from "@ciphernx/core/errors";
import { arrayExamples } from "../arrays/array-examples.ts";
import type { NumericArray } from "../arrays/numeric-array.ts";
import { type DatasetSchema, withoutLabel } from "../dataset-schema.ts";
import type { Examples } from "../examples.ts";
import type { RowColumns } from "../table/table-rows.ts";
import { chooseFiles, extensionOf } from "./choose-files.ts";
import { loadPart, type LoadedPart } from "./file-formats.ts";
import { loadIdx } from "./idx-files.ts";
import type { LoadOptions } from "./load-options.ts";
import { loadNpy } from "./npy-files.ts";

/** Rows that a model is to judge. Their labels were not read. */
export interface LoadedRows {
  /** What targets they have means nothing. */
  readonly examples: Examples;
  /** The texts of the columns that name the rows (role id), one for each row. */
  readonly ids: RowColumns;
}

export interface LoadRowsOptions extends Omit<LoadOptions, "keep"> {
  /** What stands between the cells of CSV. */
  readonly delimiter?: string | undefined;
}

/**
 * Loads rows without their labels: tables from CSV, JSONL or Parquet, several files of one format after one another; tensors from one
 * NPY or IDX file of features.
 * @throws NexusError USAGE when the files are none of these; DATA_UNREADABLE, DATA_INVALID as `loadDataset`.
 */
export async function loadRows(schema: DatasetSchema, paths: readonly string[], options: LoadRowsOptions = {}): Promise<LoadedRows> {
  const { delimiter, ...load } = options;
  if (paths.length === 0) throw new NexusError("USAGE", "No file of rows is named.", { hint: "Name one with --data." });
  if (schema.kind === "tensor") return { examples: await loadTensors(schema, paths, load), ids: new Map() };
  const files = await chooseFiles({ data: paths, delimiter });
  const keep = schema.columns.filter(({ role }) => role === "id").map(({ name }) => name);
  const { examples, columns = new Map() }: LoadedPart = (await loadPart(withoutLabel(schema), files, "train", { ...load, keep }))!;
  return { examples, ids: columns };
}

async function loadTensors(schema: DatasetSchema, paths: readonly string[], options: LoadOptions): Promise<Examples> {
  const [path] = paths;
  if (path === undefined || paths.length > 1) {
    throw new NexusError("USAGE", `Rows of tensors are read from one file, not ${paths.length}.`, { hint: "Name one NPY or IDX file of features." });
  }
  const features = extensionOf(path) === ".npy" ? await loadNpy(path, options) : await loadIdx(path, options);
  const count = features.shape[0] ?? 0;
  const noLabels: NumericArray = { shape: [count], data: new Uint8Array(count) };
  return arrayExamples(schema, { features, targets: noLabels, featuresSource: path, targetsSource: path });
}
