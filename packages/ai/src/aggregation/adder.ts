import { COORDINATE_BYTES, type CoordinateDtype } from "./encoding.ts";
import { type AggregationExports, GROUP } from "./kernel.ts";

/** Vectors that the kernels add in one pass over the sum. */
export const RESIDENT = 4;
/** Coordinates whose sums (128 KB) stay in the second-level cache while every vector is added to them. */
const BLOCK = 16_384;

/** Vectors that lie in the kernels' memory. */
export interface ResidentVectors {
  /** Address of the int64 sum. */
  readonly sum: number;
  /** Address of the first vector. */
  readonly updates: number;
  /** Bytes from one vector to the next. */
  readonly strideBytes: number;
  readonly count: number;
  /** Coordinates; sum and vectors have room for whole groups of 16. */
  readonly length: number;
}

/** Adds resident vectors to an int64 sum. */
export function addVectors(exports: AggregationExports, dtype: CoordinateDtype, { sum, updates, strideBytes, count, length }: ResidentVectors): void {
  const add = dtype === "I8" ? exports.addInt8 : dtype === "I16" ? exports.addInt16 : exports.addInt32;
  const places = paddedLength(length);
  for (let first = 0; first < places; first += BLOCK) {
    add(sum + first * 8, updates + first * COORDINATE_BYTES[dtype], strideBytes, count, Math.min(BLOCK, places - first));
  }
}

/** The length in whole groups. */
export function paddedLength(length: number): number {
  return Math.ceil(length / GROUP) * GROUP;
}
