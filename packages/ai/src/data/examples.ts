import { classCount, type DatasetSchema, featureLength } from "./dataset-schema.ts";

/** What features are stored as: bytes that are scaled when they are read, or floats. */
export type Features = Uint8Array | Float32Array;
/** What labels are stored as: class indices (bytes up to 256 classes, else words), or numbers. */
export type Targets = Uint8Array | Uint32Array | Float32Array;

/** Rows in memory. Several `Examples` may be views of one buffer. */
export interface Examples {
  /** Row-major, `count × featureLength`. A missing cell is NaN (float features only). */
  readonly features: Features;
  /** What byte features are multiplied by when they are learnt, for example 1/255; absent for floats. */
  readonly featureScale?: number;
  readonly featureLength: number;
  /** One per row. */
  readonly targets: Targets;
  readonly count: number;
}

/** Storage for rows of a schema; `shared` rows can be read by other threads without a copy. */
export function allocateExamples(schema: DatasetSchema, count: number, options: { readonly shared?: boolean } = {}): Examples {
  const length = featureLength(schema);
  const bytes = (size: number): ArrayBufferLike => (options.shared === true ? new SharedArrayBuffer(size) : new ArrayBuffer(size));
  const isBytes = schema.kind === "tensor" && schema.element === "u8";
  return {
    features: isBytes ? new Uint8Array(bytes(count * length)) : new Float32Array(bytes(count * length * 4)),
    ...(isBytes ? { featureScale: schema.scale } : {}),
    featureLength: length,
    targets: newTargets(schema, count, bytes),
    count,
  };
}

function newTargets(schema: DatasetSchema, count: number, bytes: (size: number) => ArrayBufferLike): Targets {
  const classes = classCount(schema);
  if (classes === undefined) return new Float32Array(bytes(count * 4));
  return classes <= 256 ? new Uint8Array(bytes(count)) : new Uint32Array(bytes(count * 4));
}

/** Rows start … end − 1 as a view: no copy. */
export function viewExamples(examples: Examples, start: number, end: number): Examples {
  const { featureLength: length } = examples;
  return {
    ...examples,
    features: examples.features.subarray(start * length, end * length),
    targets: examples.targets.subarray(start, end),
    count: end - start,
  };
}

/** Copies rows of one `Examples` into consecutive rows of another of the same schema, from row `at` on. */
export function copyRows(from: Examples, rows: ArrayLike<number>, into: Examples, at: number): void {
  const { featureLength: length } = from;
  for (let i = 0; i < rows.length; i += 1) {
    const row = rows[i]!;
    into.features.set(from.features.subarray(row * length, (row + 1) * length), (at + i) * length);
    into.targets[at + i] = from.targets[row]!;
  }
}

/** The named rows, copied together. */
export function takeRows(schema: DatasetSchema, examples: Examples, rows: ArrayLike<number>, options: { readonly shared?: boolean } = {}): Examples {
  const taken = allocateExamples(schema, rows.length, options);
  copyRows(examples, rows, taken, 0);
  return taken;
}

/** The rows of several `Examples` of a schema, one after another. */
export function concatenateExamples(schema: DatasetSchema, parts: readonly Examples[], options: { readonly shared?: boolean } = {}): Examples {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  const all = allocateExamples(
    schema,
    parts.reduce((sum, { count }) => sum + count, 0),
    options,
  );
  let at = 0;
  for (const { features, featureLength: length, targets, count } of parts) {
    all.features.set(features, at * length);
    all.targets.set(targets, at);
    at += count;
  }
  return all;
}
