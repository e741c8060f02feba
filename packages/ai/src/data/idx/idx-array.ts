/**
 * The IDX file format: two zero bytes, a type code, the number of dimensions, each dimension as a big-endian u32, then the
 * values, big-endian and row-major.
 *
 * Source: "The MNIST database of handwritten digits", LeCun, Cortes, Burges, section "FILE FORMATS", which defines the
 * type codes used here.
 *
 * @module
 */
import { NexusError, plural } from "@ciphernx/core/errors";

export type IdxData = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** An array of any rank. */
export interface IdxArray {
  readonly shape: readonly number[];
  /** Row-major; as many values as the product of the shape. */
  readonly data: IdxData;
}

const MAX_DIMENSIONS = 8;
/** The most values that are read: what a typed array of any type surely holds. */
const MAX_VALUES = 2 ** 31 - 1;

interface IdxType {
  readonly code: number;
  readonly bytes: number;
  readonly create: (length: number) => IdxData;
  readonly read: (view: DataView, at: number) => number;
  readonly write: (view: DataView, at: number, value: number) => void;
}

const U8: IdxType = {
  code: 0x08,
  bytes: 1,
  create: (n) => new Uint8Array(n),
  read: (v, at) => v.getUint8(at),
  write: (v, at, x) => v.setUint8(at, x),
};
const TYPES: readonly IdxType[] = [
  U8,
  { code: 0x09, bytes: 1, create: (n) => new Int8Array(n), read: (v, at) => v.getInt8(at), write: (v, at, x) => v.setInt8(at, x) },
  { code: 0x0b, bytes: 2, create: (n) => new Int16Array(n), read: (v, at) => v.getInt16(at), write: (v, at, x) => v.setInt16(at, x) },
  { code: 0x0c, bytes: 4, create: (n) => new Int32Array(n), read: (v, at) => v.getInt32(at), write: (v, at, x) => v.setInt32(at, x) },
  { code: 0x0d, bytes: 4, create: (n) => new Float32Array(n), read: (v, at) => v.getFloat32(at), write: (v, at, x) => v.setFloat32(at, x) },
  { code: 0x0e, bytes: 8, create: (n) => new Float64Array(n), read: (v, at) => v.getFloat64(at), write: (v, at, x) => v.setFloat64(at, x) },
];

interface IdxHeader {
  readonly type: IdxType;
  readonly shape: readonly number[];
  /** Where the values begin. */
  readonly dataStart: number;
  /** How long the whole file is. */
  readonly sizeBytes: number;
}

/** So many bytes at the beginning of a file tell all about it. */
export const MAX_IDX_HEADER_BYTES = 4 + 4 * MAX_DIMENSIONS;

const invalidFile = (source: string, what: string): NexusError =>
  new NexusError("DATA_INVALID", `${source} ${what}.`, { hint: "Get the file again, or write it anew as IDX.", details: { file: source } });

/**
 * How long a file is that begins so.
 * @param head The file's first `MAX_IDX_HEADER_BYTES`, or all of a shorter one.
 * @throws NexusError DATA_INVALID when that is no header.
 */
export function idxSizeBytes(head: Uint8Array, source = "the file"): number {
  return parseHeader(head, source).sizeBytes;
}

function parseHeader(file: Uint8Array, source: string): IdxHeader {
  const invalid = (what: string): NexusError => invalidFile(source, what);
  if (file.length < 4) throw invalid(`is ${plural(file.length, "byte")} long, which is too short for an IDX header`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const type = TYPES.find(({ code }) => code === file[2]);
  if (file[0] !== 0 || file[1] !== 0 || type === undefined) {
    const magic = [...file.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw invalid(`is not an IDX file: it begins with ${magic}`);
  }
  const dimensions = file[3]!;
  if (dimensions < 1 || dimensions > MAX_DIMENSIONS) throw invalid(`declares ${plural(dimensions, "dimension")}; 1 to ${MAX_DIMENSIONS} are read`);
  const dataStart = 4 + 4 * dimensions;
  if (file.length < dataStart) throw invalid(`ends within its header, after ${file.length} of ${dataStart} bytes`);
  const shape = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 + 4 * i));
  if (shape.slice(1).includes(0)) throw invalid(`declares rows without values (shape ${shape.join("×")})`);
  const values = shape.reduce((product, size) => product * size, 1);
  if (values > MAX_VALUES) throw invalid(`declares the shape ${shape.join("×")}, more than ${MAX_VALUES} values`);
  return { type, shape, dataStart, sizeBytes: dataStart + values * type.bytes };
}

/**
 * Reads an IDX file. Bytes are a view of the file's, other types are copied into the host's byte order.
 * @param source Names the file in errors.
 * @throws NexusError DATA_INVALID when the file is not IDX, is truncated, or goes on after its last value.
 */
export function parseIdx(file: Uint8Array, source = "the file"): IdxArray {
  const { type, shape, dataStart, sizeBytes } = parseHeader(file, source);
  const invalid = (what: string): NexusError => invalidFile(source, what);
  if (file.length < sizeBytes) throw invalid(`is truncated: its shape ${shape.join("×")} takes ${sizeBytes} bytes, it has ${file.length}`);
  if (file.length > sizeBytes) throw invalid(`has ${plural(file.length - sizeBytes, "byte")} after its last value (shape ${shape.join("×")})`);
  if (type === U8) return { shape, data: file.subarray(dataStart) };
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const data = type.create((sizeBytes - dataStart) / type.bytes);
  for (let i = 0; i < data.length; i += 1) data[i] = type.read(view, dataStart + i * type.bytes);
  return { shape, data };
}

/** The bytes of an IDX file, in two pieces: header and values. Bytes are not copied. */
export function encodeIdx({ shape, data }: IdxArray): readonly [header: Uint8Array, values: Uint8Array] {
  const values = shape.reduce((product, size) => product * size, 1);
  if (shape.length < 1 || shape.length > MAX_DIMENSIONS || values !== data.length) {
    throw new RangeError(`${plural(data.length, "value")} cannot fill the shape ${shape.join("×")}.`);
  }
  const type = typeOf(data);
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  header.setUint8(2, type.code);
  header.setUint8(3, shape.length);
  shape.forEach((size, i) => header.setUint32(4 + 4 * i, size));
  const head = new Uint8Array(header.buffer);
  if (data instanceof Uint8Array) return [head, data];
  const body = new DataView(new ArrayBuffer(values * type.bytes));
  for (let i = 0; i < values; i += 1) type.write(body, i * type.bytes, data[i]!);
  return [head, new Uint8Array(body.buffer)];
}

function typeOf(data: IdxData): IdxType {
  const type = TYPES.find(({ create }) => create(0).constructor === data.constructor);
  // A subclass, such as Node's Buffer, stores what its parent stores.
  return type ?? U8;
}
