import { arrayExamples } from "../arrays/array-examples.ts";
import { inferArraySchema } from "../arrays/infer-array-schema.ts";
import type { DatasetSchema, TensorSchema } from "../dataset-schema.ts";
import type { Examples } from "../examples.ts";
import { type IdxArray, idxSizeBytes, MAX_IDX_HEADER_BYTES, parseIdx } from "../idx/idx-array.ts";
import type { ArrayPaths, LoadOptions } from "./load-options.ts";
import { readFileBytes, readFileChunks } from "./read-file.ts";

/** So many bytes too many are read to say how many there are. */
const MAX_EXCESS_BYTES = 1_048_576;

/** An IDX file on disk; errors as `loadDataset`. */
export async function loadIdx(path: string, { signal }: LoadOptions = {}): Promise<IdxArray> {
  const limits = signal === undefined ? {} : { signal };
  let head: Uint8Array = new Uint8Array(0);
  for await (const chunk of readFileChunks(path, limits)) {
    head = Uint8Array.from([...head, ...chunk.subarray(0, MAX_IDX_HEADER_BYTES)]);
    if (head.length >= MAX_IDX_HEADER_BYTES) break;
  }
  // A packed file may go on far beyond what its header declares.
  const maxBytes = idxSizeBytes(head, path) + MAX_EXCESS_BYTES;
  return parseIdx(await readFileBytes(path, { ...limits, maxBytes }), path);
}

/** Rows of a pair of IDX files on disk; errors as `loadDataset`. */
export async function loadIdxExamples(schema: DatasetSchema, paths: ArrayPaths, options: LoadOptions = {}): Promise<Examples> {
  const [features, targets] = await Promise.all([loadIdx(paths.features, options), loadIdx(paths.targets, options)]);
  return arrayExamples(schema, { features, targets, featuresSource: paths.features, targetsSource: paths.targets });
}

/** Proposes the schema of a pair of IDX files on disk, see `inferArraySchema`. */
export async function inferIdxFiles(paths: ArrayPaths, options: LoadOptions & { readonly classes?: number } = {}): Promise<TensorSchema> {
  const [features, targets] = await Promise.all([loadIdx(paths.features, options), loadIdx(paths.targets, options)]);
  return inferArraySchema(features, targets, { source: paths.features, ...(options.classes === undefined ? {} : { classes: options.classes }) });
}
