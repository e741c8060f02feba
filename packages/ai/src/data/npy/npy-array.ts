import { NexusError } from "@ciphernx/core/errors";
import type { ByteChunks } from "../csv/csv-records.ts";
import type { NumericArray, NumericData } from "../arrays/numeric-array.ts";
import { MAX_NPY_HEADER_BYTES, type NpyHeader, type NpyType, parseNpyHeader } from "./npy-header.ts";

export interface NpyOptions {
  /** Names the file in errors. */
  readonly source?: string;
  /** How long the file says it is, where that is known before it is read. */
  readonly sizeBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes that are set aside before it is known that a file is as long as its header declares. */
const FIRST_BYTES = 16 * 1024 * 1024;

/**
 * Reads an array from the bytes of an NPY file: C order, little-endian, booleans, integers and floats of 32 or 64 bits. Booleans
 * become bytes 0 and 1; 64-bit integers become 32-bit ones where they fit, else doubles.
 * @throws NexusError DATA_INVALID when the header is refused, the file is truncated, goes on after its last value, or holds a whole
 *   number that no double holds exactly.
 */
export async function readNpy(chunks: ByteChunks, { source = "the file", sizeBytes, signal }: NpyOptions = {}): Promise<NumericArray> {
  const invalid = (what: string): NexusError =>
    new NexusError("DATA_INVALID", `${source} ${what}.`, {
      hint: "Get the file again, or write it anew with numpy.save.",
      details: { file: source },
    });
  let head = new Uint8Array(0);
  let header: NpyHeader | undefined;
  let values = new Uint8Array(0);
  let filled = 0;

  function begin(parsed: NpyHeader): void {
    header = parsed;
    const expected = parsed.dataStart + parsed.dataBytes;
    if (sizeBytes !== undefined && sizeBytes < expected) throw truncated(parsed, sizeBytes);
    if (sizeBytes !== undefined && sizeBytes > expected) throw invalid(`goes on after its last value (shape ${parsed.shape.join("×")})`);
    values = new Uint8Array(sizeBytes === undefined ? Math.min(parsed.dataBytes, FIRST_BYTES) : parsed.dataBytes);
    append(head.subarray(parsed.dataStart));
  }
  function truncated({ shape, dataStart, dataBytes }: NpyHeader, found: number): NexusError {
    return invalid(`is truncated: its shape ${shape.join("×") || "()"} takes ${dataStart + dataBytes} bytes, it has ${found}`);
  }
  function append(bytes: Uint8Array): void {
    const { dataBytes, shape } = header!;
    if (filled + bytes.length > dataBytes) throw invalid(`goes on after its last value (shape ${shape.join("×") || "()"})`);
    if (filled + bytes.length > values.length) {
      const grown = Math.min(dataBytes, Math.max(values.length * 2, filled + bytes.length));
      values = new Uint8Array(values.buffer.transfer(grown));
    }
    values.set(bytes, filled);
    filled += bytes.length;
  }

  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    if (header !== undefined) {
      append(chunk);
      continue;
    }
    const joined = new Uint8Array(head.length + chunk.length);
    joined.set(head);
    joined.set(chunk, head.length);
    head = joined;
    if (head.length >= MAX_NPY_HEADER_BYTES) begin(parseNpyHeader(head, source));
  }
  if (header === undefined) begin(parseNpyHeader(head, source));
  const { type, shape, dataBytes, dataStart } = header!;
  if (filled < dataBytes) throw truncated(header!, dataStart + filled);
  if (!hostIsLittleEndian) reverseValues(values, Number(type[1]));
  return { shape, data: READERS[type](values, invalid) };
}

const hostIsLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function reverseValues(bytes: Uint8Array, size: number): void {
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}

type Reader = (bytes: Uint8Array<ArrayBuffer>, invalid: (what: string) => NexusError) => NumericData;

const READERS: Readonly<Record<NpyType, Reader>> = {
  b1: (bytes, invalid) => {
    if (bytes.some((byte) => byte > 1)) throw invalid("holds a boolean that is neither 0 nor 1");
    return bytes;
  },
  u1: (bytes) => bytes,
  i1: ({ buffer }) => new Int8Array(buffer),
  u2: ({ buffer }) => new Uint16Array(buffer),
  i2: ({ buffer }) => new Int16Array(buffer),
  u4: ({ buffer }) => new Uint32Array(buffer),
  i4: ({ buffer }) => new Int32Array(buffer),
  f4: ({ buffer }) => new Float32Array(buffer),
  f8: ({ buffer }) => new Float64Array(buffer),
  u8: ({ buffer }, invalid) => narrowed(new BigUint64Array(buffer), invalid),
  i8: ({ buffer }, invalid) => narrowed(new BigInt64Array(buffer), invalid),
};

/** 64-bit integers as 32-bit ones, or as doubles where some do not fit. */
function narrowed(wide: BigInt64Array | BigUint64Array, invalid: (what: string) => NexusError): NumericData {
  const words = new Int32Array(wide.length);
  for (let i = 0; i < wide.length; i += 1) {
    const value = Number(wide[i]!);
    words[i] = value;
    if (words[i] !== value) return doubles(wide, invalid);
  }
  return words;
}

function doubles(wide: BigInt64Array | BigUint64Array, invalid: (what: string) => NexusError): Float64Array {
  return Float64Array.from(wide, (value, i) => {
    const double = Number(value);
    if (!Number.isSafeInteger(double)) throw invalid(`holds a whole number beyond 2^53, value ${i}`);
    return double;
  });
}
