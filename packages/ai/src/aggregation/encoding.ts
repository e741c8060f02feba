import { safetensorsHeader } from "../tensor/index.ts";

/**
 * How a party writes its update as integers. A coordinate is the party's change of a parameter × weight/maxWeight, clipped to
 * ±range, in steps of range/levels with levels = 2^(bits−1) − 1. Everyone after the party only adds integers.
 */
export interface EncodingSpec {
  /** Largest magnitude of a weighted coordinate; beyond it is clipped and counted. */
  readonly range: number;
  /** Bits of one coordinate, sign included: 8 to 32. */
  readonly bits: number;
  /** nearest: half to even; stochastic: up or down by chance, without bias. */
  readonly rounding: "nearest" | "stochastic";
  /** Bound of a party's weight, in examples. */
  readonly maxWeight: number;
}

/** Element type of a vector of coordinates. */
export type CoordinateDtype = "I8" | "I16" | "I32";
/** A vector of coordinates. */
export type CoordinateVector = Int8Array | Int16Array | Int32Array;

/** Name of the one tensor of an update's file. */
export const COORDINATES = "coordinates";

/** Bytes of one coordinate. */
export const COORDINATE_BYTES: Readonly<Record<CoordinateDtype, number>> = { I8: 1, I16: 2, I32: 4 };

/**
 * Bits of an extra coordinate's value: weight, counts and metric sums (in steps of 2^−20) are below 2^52, so that
 * they and their halves are exact in f64.
 */
export const EXTRA_BITS = 52;
/** Most bits of one limb, so that limbs of many parties add up far below 2^53. */
const MAX_LIMB_BITS = 15;

/** Where the coordinates of a vector lie: the parameters in canonical order, then weight, each metric, and the saturated count, in limbs. */
export interface VectorLayout {
  readonly parameters: number;
  readonly metricNames: readonly string[];
  readonly dtype: CoordinateDtype;
  /** Bits of a limb's magnitude. */
  readonly limbBits: number;
  /** Limbs of one extra value, least significant first. */
  readonly limbs: number;
  /** Coordinates after the parameters. */
  readonly extras: number;
  /** Coordinates of the whole vector. */
  readonly length: number;
}

/** Greatest magnitude of a coordinate: 2^(bits−1) − 1. The one value below −levels that two's complement has is never used. */
export function levelsOf(bits: number): number {
  return 2 ** (bits - 1) - 1;
}

/** The narrowest element type that holds `bits`. */
export function coordinateDtype({ bits }: Pick<EncodingSpec, "bits">): CoordinateDtype {
  return bits <= 8 ? "I8" : bits <= 16 ? "I16" : "I32";
}

/** The layout of the vectors of a run; fit vectors have the model's parameters, evaluation vectors have none. */
export function vectorLayout(parameters: number, metricNames: readonly string[], encoding: Pick<EncodingSpec, "bits">): VectorLayout {
  const limbBits = Math.min(encoding.bits - 1, MAX_LIMB_BITS);
  const limbs = Math.ceil(EXTRA_BITS / limbBits);
  const extras = (metricNames.length + 2) * limbs;
  return { parameters, metricNames: [...metricNames], dtype: coordinateDtype(encoding), limbBits, limbs, extras, length: parameters + extras };
}

/** Coordinates of a vector: parameters and extras. */
export function vectorLength(parameters: number, metricNames: readonly string[], encoding: Pick<EncodingSpec, "bits">): number {
  return vectorLayout(parameters, metricNames, encoding).length;
}

/** The one header that an update's file may begin with. */
export function updateFileHeader({ dtype, length }: Pick<VectorLayout, "dtype" | "length">): Uint8Array<ArrayBuffer> {
  return safetensorsHeader([{ name: COORDINATES, dtype, shape: [length] }]);
}

/** Size of an update's file. */
export function updateFileSizeBytes(parameters: number, metricCount: number, encoding: Pick<EncodingSpec, "bits">): number {
  const layout = vectorLayout(parameters, Array.from({ length: metricCount }, String), encoding);
  return updateFileHeader(layout).length + layout.length * COORDINATE_BYTES[layout.dtype];
}

/**
 * A vector with room for its file's header before it, so that `encodeUpdateFile` need not copy it.
 * @param memory gives memory of a size, whatever is in it; zeros when absent
 */
export function newVector(
  layout: Pick<VectorLayout, "dtype" | "length">,
  memory: (sizeBytes: number) => ArrayBuffer = (sizeBytes) => new ArrayBuffer(sizeBytes),
): CoordinateVector {
  const headerBytes = updateFileHeader(layout).length;
  const buffer = memory(headerBytes + layout.length * COORDINATE_BYTES[layout.dtype]);
  const ArrayOf = layout.dtype === "I8" ? Int8Array : layout.dtype === "I16" ? Int16Array : Int32Array;
  return new ArrayOf(buffer, headerBytes, layout.length);
}

/** An update's file: header and coordinates. Shares the memory of a vector that was made with room for the header. */
export function encodeUpdateFile(vector: CoordinateVector): Uint8Array<ArrayBuffer> {
  const dtype = vector instanceof Int8Array ? "I8" : vector instanceof Int16Array ? "I16" : "I32";
  const header = updateFileHeader({ dtype, length: vector.length });
  const { buffer, byteOffset, byteLength } = vector;
  const roomy = buffer instanceof ArrayBuffer && byteOffset === header.length && buffer.byteLength === header.length + byteLength;
  const file = roomy ? new Uint8Array(buffer) : new Uint8Array(header.length + byteLength);
  if (!roomy) file.set(new Uint8Array(buffer, byteOffset, byteLength), header.length);
  file.set(header);
  return file;
}

/**
 * Whether the sums of `parties` vectors are exact: each coordinate's sum, the weights' and the limbs' stay below 2^53,
 * which int64 holds and f64 represents.
 */
export function checkEncoding(encoding: EncodingSpec, parties: number): { readonly ok: true } | { readonly ok: false; readonly reason: string } {
  const { range, bits, maxWeight } = encoding;
  const refuse = (reason: string) => ({ ok: false, reason }) as const;
  if (!Number.isInteger(bits) || bits < 8 || bits > 32) return refuse(`A coordinate has 8 to 32 bits, not ${bits}.`);
  const step = range / levelsOf(bits);
  if (!(range > 0) || !Number.isFinite(1 / step) || !Number.isFinite(range * 2 ** 53 * maxWeight)) {
    return refuse(`The range ${range} is not a positive number that ${bits} bits can divide.`);
  }
  if (!Number.isSafeInteger(maxWeight) || maxWeight < 1 || maxWeight >= 2 ** EXTRA_BITS) {
    return refuse(`The largest weight ${maxWeight} is not a whole number from 1 to 2^${EXTRA_BITS} − 1.`);
  }
  if (!Number.isSafeInteger(parties) || parties < 1) return refuse(`${parties} parties cannot be added up.`);
  const most = BigInt(parties) * BigInt(levelsOf(bits));
  if (most > BigInt(Number.MAX_SAFE_INTEGER))
    return refuse(`The sum of ${parties} coordinates of ${bits} bits can reach ${most}, more than 2^53 − 1.`);
  const weights = BigInt(parties) * BigInt(maxWeight);
  if (weights > BigInt(Number.MAX_SAFE_INTEGER)) return refuse(`The weights of ${parties} parties can add up to ${weights}, more than 2^53 − 1.`);
  return { ok: true };
}
