import { NexusError } from "@ciphernx/core/errors";
import { type EncodingSpec, levelsOf } from "./encoding.ts";
import type { AggregationKernel } from "./kernel.ts";

const TILE = 16_384;

/** A tile of summed parameter coordinates, and what turns it into a mean. */
export interface DecodeSumOptions {
  readonly kernel: AggregationKernel;
  /** Sums of parameter coordinates; each below 2^53 in magnitude, as `checkEncoding` has made sure. */
  readonly sum: BigInt64Array;
  /** Σ of the parties' weights, from `decodeExtras`. */
  readonly weight: number;
  readonly encoding: EncodingSpec;
  /** Where to write the means; as long as `sum`. A new array when absent. */
  readonly out?: Float32Array;
}

/**
 * The weighted mean of the parties' changes: for each coordinate, in f64 and this order,
 * ((f64(sum) × (range/levels)) × maxWeight) / Σweight, then rounded to f32.
 * @throws NexusError UPDATE_REJECTED when the weights add up to nothing.
 */
export function decodeSum({ kernel, sum, weight, encoding, out = new Float32Array(sum.length) }: DecodeSumOptions): Float32Array {
  if (!(weight > 0)) {
    throw new NexusError("UPDATE_REJECTED", `The weights of the round's updates add up to ${weight}, so they have no mean.`, {
      hint: "At least one party of a round must have trained on an example.",
    });
  }
  if (out.length !== sum.length) throw new RangeError(`The output has ${out.length} places for ${sum.length} coordinates.`);
  const step = encoding.range / levelsOf(encoding.bits);
  const { exports, buffer, addresses } = kernel.scratch("decode", TILE * 8, TILE * 4);
  const [input, output] = addresses as [number, number];
  for (let offset = 0; offset < sum.length; offset += TILE) {
    const tile = sum.subarray(offset, offset + TILE);
    new BigInt64Array(buffer, input, TILE).set(tile);
    exports.decodeMean(input, output, Math.ceil(tile.length / 2) * 2, step, encoding.maxWeight, weight);
    out.set(new Float32Array(buffer, output, tile.length), offset);
  }
  return out;
}
