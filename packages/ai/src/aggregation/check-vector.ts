import { COORDINATE_BYTES, type CoordinateDtype, levelsOf } from "./encoding.ts";
import type { AggregationKernel } from "./kernel.ts";

const TILE_BYTES = 65_536;

/** What coordinates must be. */
export interface CoordinateBounds {
  readonly dtype: CoordinateDtype;
  readonly bits: number;
  /** Coordinates that the bytes must hold. Not checked when absent. */
  readonly length?: number;
  /** Place of the first coordinate in its vector, for messages. Default 0. */
  readonly offset?: number;
}

export type VectorCheck =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: string; /** Place of the first coordinate that is out of range. */ readonly index?: number };

/** Whether a vector, or a tile of one, has the right length and each coordinate lies within ±(2^(bits−1) − 1). Bytes need no alignment. */
export function checkVector(kernel: AggregationKernel, bytes: Uint8Array, bounds: CoordinateBounds): VectorCheck {
  const { dtype, bits, length, offset = 0 } = bounds;
  const width = COORDINATE_BYTES[dtype];
  if (bytes.length % width !== 0 || (length !== undefined && bytes.length !== length * width)) {
    const wanted = length === undefined ? `a multiple of ${width}` : String(length * width);
    return { ok: false, reason: `There are ${bytes.length} bytes of coordinates, not ${wanted}.` };
  }
  const limit = levelsOf(bits);
  const { exports, buffer, addresses } = kernel.scratch("check", TILE_BYTES);
  const [address] = addresses as [number];
  const tile = new Uint8Array(buffer, address, TILE_BYTES);
  const inRange = dtype === "I8" ? exports.checkRange8 : dtype === "I16" ? exports.checkRange16 : exports.checkRange32;
  for (let begin = 0; begin < bytes.length; begin += TILE_BYTES) {
    const part = bytes.subarray(begin, begin + TILE_BYTES);
    const padded = Math.ceil(part.length / 16) * 16;
    tile.set(part);
    tile.fill(0, part.length, padded);
    if (inRange(address, padded, limit) === 0) {
      const { index, value } = firstOutside(part, dtype, limit);
      const place = offset + begin / width + index;
      return { ok: false, reason: `Coordinate ${place} is ${value}; ${bits} bits allow −${limit} to ${limit}.`, index: place };
    }
  }
  return { ok: true };
}

function firstOutside(bytes: Uint8Array, dtype: CoordinateDtype, limit: number): { index: number; value: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const width = COORDINATE_BYTES[dtype];
  for (let index = 0; index < bytes.length / width; index += 1) {
    const at = index * width;
    const value = dtype === "I8" ? view.getInt8(at) : dtype === "I16" ? view.getInt16(at, true) : view.getInt32(at, true);
    if (Math.abs(value) > limit) return { index, value };
  }
  throw new RangeError("Every coordinate is in range.");
}
