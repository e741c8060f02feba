import { NexusError } from "@ciphernx/core/errors";
import type { RandomStream } from "../random/index.ts";
import { COORDINATE_BYTES, type CoordinateVector, type EncodingSpec, levelsOf, newVector, vectorLayout } from "./encoding.ts";
import { encodeExtras } from "./extras.ts";
import type { AggregationKernel } from "./kernel.ts";

/** Coordinates handled at once: in- and output stay in the second-level cache. */
const TILE = 16_384;

/** A party's update before it is encoded. */
export interface EncodeUpdateOptions {
  readonly kernel: AggregationKernel;
  /** Parameters after − before, flat, in canonical order; empty for an evaluation. */
  readonly delta: Float32Array;
  /** Examples behind the update: a whole number from 0 to maxWeight. */
  readonly weight: number;
  /** Sums over those examples (never means), one for each of `metricNames`. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly encoding: EncodingSpec;
  /** The run's metrics, in their order in the vector. */
  readonly metricNames: readonly string[];
  /** Where to write the vector, of the run's type and length; a new one when absent. */
  readonly into?: CoordinateVector;
  /** The party's stream for this purpose and round; needed, and used, for stochastic rounding only. */
  readonly random?: RandomStream;
}

/** An update as it is uploaded. */
export interface EncodedUpdate {
  /** Parameter coordinates, then the extra ones; of the narrowest type that holds the bits. */
  readonly vector: CoordinateVector;
  /** Parameter coordinates that were clipped. */
  readonly saturated: number;
}

/**
 * Turns an update into integers. For each parameter, in f64 and this order: x = delta × (weight/maxWeight); clip to
 * ±range; y = x × (levels/range); round. Nearest rounds half to even. Stochastic rounds up with probability
 * y − ⌊y⌋, by word i of a Philox stream whose key and upper counter are the first four words of `random`.
 * @throws NexusError UPDATE_REJECTED when the delta holds a value that is not finite, or weight or metrics are out of bounds.
 */
export function encodeUpdate(options: EncodeUpdateOptions): EncodedUpdate {
  const { delta, weight, metrics, encoding, metricNames, into } = options;
  if (!Number.isSafeInteger(weight) || weight < 0 || weight > encoding.maxWeight) {
    throw new NexusError("UPDATE_REJECTED", `The weight ${weight} is not a whole number of examples from 0 to ${encoding.maxWeight}.`, {
      hint: "Raise encoding.maxWeight in the run spec, or train on fewer examples.",
    });
  }
  const layout = vectorLayout(delta.length, metricNames, encoding);
  const vector = into ?? newVector(layout);
  if (vector.length !== layout.length || vector.BYTES_PER_ELEMENT !== COORDINATE_BYTES[layout.dtype]) {
    throw new RangeError(
      `A vector of ${vector.length} × ${vector.BYTES_PER_ELEMENT} bytes has no place for ${layout.length} coordinates of ${layout.dtype}.`,
    );
  }
  const saturated = encodeParameters(options, vector);
  vector.set(encodeExtras({ weight, metrics, saturated }, layout), delta.length);
  return { vector, saturated };
}

function encodeParameters({ kernel, delta, weight, encoding, random }: EncodeUpdateOptions, vector: CoordinateVector): number {
  const { range, bits, maxWeight, rounding } = encoding;
  const levels = levelsOf(bits);
  const scale = levels / range;
  const factor = weight / maxWeight;
  const stream = rounding === "stochastic" ? streamOf(random) : undefined;
  const { exports, buffer, addresses } = kernel.scratch("encode", TILE * 4, TILE * 4, TILE * 4);
  const [input, output, words] = addresses as [number, number, number];
  const inputs = new Float32Array(buffer, input, TILE);
  let saturated = 0;
  for (let offset = 0; offset < delta.length; offset += TILE) {
    const tile = delta.subarray(offset, offset + TILE);
    const padded = Math.ceil(tile.length / 4) * 4;
    inputs.set(tile);
    inputs.fill(0, tile.length, padded);
    let clipped: number;
    if (stream === undefined) clipped = exports.encodeNearest(input, output, padded, factor, range, scale, levels);
    else {
      exports.fillPhilox(words, padded / 4, offset / 4, ...stream);
      clipped = exports.encodeStochastic(input, words, output, padded, factor, range, scale, levels);
    }
    if (clipped < 0) throw notFinite(delta, offset);
    saturated += clipped;
    vector.set(new Int32Array(buffer, output, tile.length), offset);
  }
  return saturated;
}

/** Key and upper counter of the stream that the kernel draws from. */
function streamOf(random: RandomStream | undefined): [number, number, number, number] {
  if (random === undefined) throw new TypeError("Stochastic rounding needs a random stream.");
  return [random.uint32(), random.uint32(), random.uint32(), random.uint32()];
}

function notFinite(delta: Float32Array, offset: number): NexusError {
  let index = offset;
  while (index < delta.length && Number.isFinite(delta[index])) index += 1;
  return new NexusError("UPDATE_REJECTED", `Coordinate ${index} of ${delta.length} of the update is ${delta[index]}.`, {
    hint: "The training diverged: lower the learning rate, or look for values in the data that are not finite.",
    details: { index },
  });
}
