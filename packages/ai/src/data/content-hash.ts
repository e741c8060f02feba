/**
 * The name of a dataset's content: SHA-256 over one canonical byte form of schema and rows. It is the same for the same
 * schema and the same rows in the same order, whatever file format, file name or folder they came from, and it is
 * recorded with every model that learnt from them.
 *
 * Byte form, whole numbers little-endian:
 *
 * ```
 * "ciphernx/dataset/v1\n"
 * u64 length of the schema's canonical JSON in bytes, then that JSON as UTF-8
 * for the training rows, then for the test rows:
 *   u64 number of rows (0 where there are none)
 *   u64 values of a row
 *   u8  feature type: 1 = u8, 2 = f32;  u8 target type: 1 = u8, 2 = f32, 3 = u32
 *   features, row-major; targets
 * ```
 *
 * Floats are IEEE 754 single precision, little-endian, every NaN as 0x7fc00000. A host whose own order is big-endian
 * gives the same hash.
 *
 * @module
 */
import { schemaText, type DatasetSchema } from "./dataset-schema.ts";
import type { Examples, Targets } from "./examples.ts";
import { type Hasher, startSha256 } from "./sha256.ts";

const DOMAIN = "ciphernx/dataset/v1\n";
const CANONICAL_NAN = 0x7fc0_0000;
/** Values that are brought into canonical form at a time. */
const CHUNK_VALUES = 16_384;

/** SHA-256 (64 lower-case hex digits) of a dataset's schema and rows. */
export function contentHash(schema: DatasetSchema, train: Examples, test: Examples | undefined, hash: Hasher = startSha256()): string {
  const text = new TextEncoder().encode(schemaText(schema));
  hash.update(new TextEncoder().encode(DOMAIN));
  hash.update(wholeNumbers(text.length));
  hash.update(text);
  for (const examples of [train, test]) {
    const types = examples ?? train;
    hash.update(wholeNumbers(examples?.count ?? 0, train.featureLength));
    hash.update(Uint8Array.of(typeCode(types.features), typeCode(types.targets)));
    if (examples === undefined) continue;
    updateValues(hash, examples.features);
    updateValues(hash, examples.targets);
  }
  return hash.hex();
}

function wholeNumbers(...values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 8));
  values.forEach((value, i) => view.setBigUint64(i * 8, BigInt(value), true));
  return new Uint8Array(view.buffer);
}

function typeCode(values: Targets): number {
  if (values instanceof Uint8Array) return 1;
  return values instanceof Float32Array ? 2 : 3;
}

function updateValues(hash: Hasher, values: Targets): void {
  if (values instanceof Uint8Array) {
    hash.update(values);
    return;
  }
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const isFloat = values instanceof Float32Array;
  const chunk = new DataView(new ArrayBuffer(CHUNK_VALUES * 4));
  for (let start = 0; start < words.length; start += CHUNK_VALUES) {
    const length = Math.min(CHUNK_VALUES, words.length - start);
    for (let i = 0; i < length; i += 1) {
      const bits = words[start + i]!;
      const isNaN = isFloat && (bits & 0x7fff_ffff) > 0x7f80_0000;
      chunk.setUint32(i * 4, isNaN ? CANONICAL_NAN : bits, true);
    }
    hash.update(new Uint8Array(chunk.buffer, 0, length * 4));
  }
}
