import { NexusError } from "@ciphernx/core/errors";
import { arrayExamples } from "../arrays/array-examples.ts";
import { inferArraySchema } from "../arrays/infer-array-schema.ts";
import type { NumericArray } from "../arrays/numeric-array.ts";
import type { DatasetSchema, TensorSchema } from "../dataset-schema.ts";
import type { Examples } from "../examples.ts";
import { readNpy } from "../npy/npy-array.ts";
import type { ArrayPaths, LoadOptions } from "./load-options.ts";
import { readFileChunks } from "./read-file.ts";
import { openZip } from "./zip-file.ts";

/** Two arrays of one NPZ archive, by their names in it. */
export interface NpzPart {
  readonly file: string;
  readonly features: string;
  readonly targets: string;
}

/** What an array's name becomes in its archive. */
const SUFFIX = ".npy";

/**
 * An NPY file on disk; gzip is recognised.
 * @throws NexusError DATA_UNREADABLE and DATA_INVALID as `readFileChunks` and `readNpy`.
 */
export async function loadNpy(path: string, { signal }: LoadOptions = {}): Promise<NumericArray> {
  const limits = signal === undefined ? {} : { signal };
  return readNpy(readFileChunks(path, limits), { source: path, signal });
}

/**
 * An array of an NPZ archive on disk.
 * @throws NexusError DATA_UNREADABLE, DATA_INVALID as `openZip` and `readNpy`; DATA_INVALID naming the arrays that are there.
 */
export async function loadNpzArray(path: string, name: string, { signal }: LoadOptions = {}): Promise<NumericArray> {
  await using zip = await openZip(path);
  const entry = zip.entries.find((one) => one.name === name + SUFFIX);
  if (entry === undefined) {
    throw new NexusError("DATA_INVALID", `${path} has no array "${name}".`, {
      hint: `Its arrays are: ${arrayNames(zip.entries).slice(0, 20).join(", ") || "none"}.`,
      details: { file: path, array: name },
    });
  }
  return await readNpy(zip.read(entry.name, { signal }), { source: `${path}, array "${name}"`, sizeBytes: entry.sizeBytes, signal });
}

/** The names of the arrays that an NPZ archive holds, in its order. */
export async function listNpzArrays(path: string): Promise<readonly string[]> {
  await using zip = await openZip(path);
  return arrayNames(zip.entries);
}

function arrayNames(entries: readonly { readonly name: string }[]): readonly string[] {
  return entries.filter(({ name }) => name.endsWith(SUFFIX)).map(({ name }) => name.slice(0, -SUFFIX.length));
}

/** Rows of a pair of NPY files on disk; errors as `loadDataset`. */
export async function loadNpyExamples(schema: DatasetSchema, paths: ArrayPaths, options: LoadOptions = {}): Promise<Examples> {
  const [features, targets] = [await loadNpy(paths.features, options), flat(await loadNpy(paths.targets, options))];
  return arrayExamples(schema, { features, targets, featuresSource: paths.features, targetsSource: paths.targets });
}

/** Rows of two arrays of an NPZ archive on disk; errors as `loadDataset`. */
export async function loadNpzExamples(schema: DatasetSchema, { file, features, targets }: NpzPart, options: LoadOptions = {}): Promise<Examples> {
  return arrayExamples(schema, {
    features: await loadNpzArray(file, features, options),
    targets: flat(await loadNpzArray(file, targets, options)),
    featuresSource: `${file}, array "${features}"`,
    targetsSource: `${file}, array "${targets}"`,
  });
}

/** Proposes the schema of a pair of NPY files on disk, see `inferArraySchema`. */
export async function inferNpyFiles(paths: ArrayPaths, options: LoadOptions = {}): Promise<TensorSchema> {
  const features = await loadNpy(paths.features, options);
  return inferArraySchema(features, flat(await loadNpy(paths.targets, options)), { source: paths.features });
}

/** Proposes the schema of two arrays of an NPZ archive on disk, see `inferArraySchema`. */
export async function inferNpzFile({ file, features, targets }: NpzPart, options: LoadOptions = {}): Promise<TensorSchema> {
  const values = await loadNpzArray(file, features, options);
  return inferArraySchema(values, flat(await loadNpzArray(file, targets, options)), { source: `${file}, array "${features}"` });
}

/** Labels as a list: many archives hold them as a column. */
function flat(array: NumericArray): NumericArray {
  const [count, width] = array.shape;
  return array.shape.length === 2 && count !== undefined && width === 1 ? { shape: [count], data: array.data } : array;
}
