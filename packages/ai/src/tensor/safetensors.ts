/**
 * Safetensors, the file of named tensors: 8 bytes of header length (u64, little-endian), a JSON header
 * `{name: {dtype, shape, data_offsets: [begin, end]}}`, then the tensors' bytes without holes, little-endian, row-major.
 * Source: the format's description and reference reader, huggingface/safetensors, README "Format".
 *
 * What is written here is canonical, so that equal tensors have equal bytes and therefore one hash: no metadata,
 * tensors by element size (widest first, which keeps each aligned) and then by name, members in the order dtype, shape,
 * data_offsets, no white space, and the header padded with spaces to a multiple of 8. A file of one dtype is thus sorted by name.
 *
 * @module
 */
import { NexusError } from "@ciphernx/core/errors";
import { compareNames, type Tensor } from "./parameters.ts";

/** The typed array that holds the elements of each dtype. */
export interface TensorArrays {
  F64: Float64Array;
  F32: Float32Array;
  I64: BigInt64Array;
  I32: Int32Array;
  I16: Int16Array;
  I8: Int8Array;
  U64: BigUint64Array;
  U32: Uint32Array;
  U16: Uint16Array;
  U8: Uint8Array;
}

/** Element types that are read and written. */
export type Dtype = keyof TensorArrays;

/** Bytes of one element. */
export const DTYPE_BYTES: Readonly<Record<Dtype, number>> = { F64: 8, F32: 4, I64: 8, I32: 4, I16: 2, I8: 1, U64: 8, U32: 4, U16: 2, U8: 1 };

/** A tensor of any dtype; row-major. */
export type StoredTensor = { [D in Dtype]: { readonly dtype: D; readonly shape: readonly number[]; readonly data: TensorArrays[D] } }[Dtype];

/** What a header says of one tensor; F32 when no dtype is given. */
export interface TensorDescription {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype?: Dtype;
}

/** Where a tensor lies in a safetensors file. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Number of elements. */
  readonly length: number;
  /** First byte, counted from the beginning of the file. */
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/** A header, read or planned. */
export interface SafetensorsLayout {
  /** Bytes before the first tensor: length field, JSON, padding. */
  readonly headerBytes: number;
  /** Size of the whole file. */
  readonly sizeBytes: number;
  /** In the order in which the tensors lie in the file. */
  readonly entries: readonly SafetensorsEntry[];
}

const LENGTH_FIELD_BYTES = 8;
const ALIGNMENT_BYTES = 8;
const SPACE = 0x20;

/** Elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * The canonical header of a file with these tensors: everything before the first tensor's bytes.
 * @throws NexusError DATA_INVALID for a name or shape that no file can have.
 */
export function safetensorsHeader(tensors: Iterable<TensorDescription>): Uint8Array<ArrayBuffer> {
  return planSafetensors(tensors).header;
}

/** Where each tensor of the canonical file lies, and the file's size. Tiles can be written to those places in any order. */
export function safetensorsLayout(tensors: Iterable<TensorDescription>): SafetensorsLayout {
  return planSafetensors(tensors).layout;
}

/** Size of the canonical file. */
export function safetensorsSizeBytes(tensors: Iterable<TensorDescription>): number {
  return planSafetensors(tensors).layout.sizeBytes;
}

/**
 * The canonical file of these tensors (F32 where a tensor names no dtype).
 * The SHA-256 of a model's file is the model's hash and its blob's address.
 */
export function encodeSafetensors(tensors: ReadonlyMap<string, Tensor | StoredTensor>): Uint8Array<ArrayBuffer> {
  const described = [...tensors].map(([name, tensor]) => ({ name, shape: tensor.shape, dtype: "dtype" in tensor ? tensor.dtype : ("F32" as const) }));
  const { header, layout } = planSafetensors(described);
  const file = new Uint8Array(layout.sizeBytes);
  file.set(header);
  for (const { name, length, offsetBytes, sizeBytes } of layout.entries) {
    const { data } = tensors.get(name)!;
    if (data.length !== length || data.byteLength !== sizeBytes) {
      throw invalid(`The tensor "${name}" has ${data.length} elements, its shape says ${length}.`, { tensor: name });
    }
    // Typed arrays hold the bytes in the host's order, which is little-endian on every host that Node and browsers run on.
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offsetBytes);
  }
  return file;
}

function planSafetensors(tensors: Iterable<TensorDescription>): { header: Uint8Array<ArrayBuffer>; layout: SafetensorsLayout } {
  const sorted = [...tensors]
    .map(({ name, shape, dtype = "F32" }) => ({ name, shape: [...shape], dtype }))
    .toSorted((a, b) => DTYPE_BYTES[b.dtype] - DTYPE_BYTES[a.dtype] || compareNames(a.name, b.name));
  const names = new Set<string>();
  const members: string[] = [];
  const placed: Omit<SafetensorsEntry, "offsetBytes">[] = [];
  let end = 0;
  for (const { name, shape, dtype } of sorted) {
    checkName(name, names);
    const length = elementCount(shape);
    const sizeBytes = length * DTYPE_BYTES[dtype];
    if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0) || !Number.isSafeInteger(end + sizeBytes)) {
      throw invalid(`The tensor "${name}" has the impossible shape [${shape.join(", ")}].`, { tensor: name });
    }
    members.push(`${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join(",")}],"data_offsets":[${end},${end + sizeBytes}]}`);
    placed.push({ name, dtype, shape, length, sizeBytes });
    end += sizeBytes;
  }
  const json = new TextEncoder().encode(`{${members.join(",")}}`);
  const paddedBytes = Math.ceil(json.length / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
  const headerBytes = LENGTH_FIELD_BYTES + paddedBytes;
  const header = new Uint8Array(headerBytes).fill(SPACE);
  new DataView(header.buffer).setBigUint64(0, BigInt(paddedBytes), true);
  header.set(json, LENGTH_FIELD_BYTES);
  let offsetBytes = headerBytes;
  const entries = placed.map((entry) => {
    const located = { ...entry, offsetBytes };
    offsetBytes += entry.sizeBytes;
    return located;
  });
  return { header, layout: { headerBytes, sizeBytes: headerBytes + end, entries } };
}

function checkName(name: string, names: Set<string>): void {
  if (name === "" || name === "__metadata__" || !name.isWellFormed())
    throw invalid(`${JSON.stringify(name)} cannot be the name of a tensor.`, { tensor: name });
  if (names.has(name)) throw invalid(`Two tensors are named "${name}".`, { tensor: name });
  names.add(name);
}

function invalid(message: string, details: Readonly<Record<string, unknown>>): NexusError {
  return new NexusError("DATA_INVALID", message, { hint: "Check the names and shapes of the model's tensors.", details });
}
