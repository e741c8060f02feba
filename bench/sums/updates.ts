import { type EncodingSpec, encodeUpdate, loadAggregationKernel, vectorLayout } from "@ciphernx/ai/aggregation";
import { randomStream } from "@ciphernx/ai/random";

const ENCODING: EncodingSpec = { range: 1, bits: 16, rounding: "nearest", maxWeight: 1_000 };

/** Greatest magnitude of a coordinate. */
export const MOST = 2 ** (ENCODING.bits - 1) - 1;

/** Updates of parties, each other ones, the same in every thread. */
export interface Updates {
  /** Coordinates of an encoded update. */
  readonly length: number;
  /** Encodes a party's update, from its change of each parameter in f32. */
  encode(party: number): Int16Array;
}

/** Updates of a model with so many parameters, encoded in 16 bits. Their changes are of one sequence of random numbers, each party's one further. */
export async function makeUpdates(parameters: number, parties: number): Promise<Updates> {
  const kernel = await loadAggregationKernel();
  const random = randomStream(1, "updates");
  // Some are beyond the range, and clipped.
  const changes = Float32Array.from({ length: parameters + parties }, () => 2.2 * random.uniform() - 1.1);
  const { maxWeight } = ENCODING;
  return {
    length: vectorLayout(parameters, [], ENCODING).length,
    encode(party) {
      const delta = changes.subarray(party, party + parameters);
      const { vector } = encodeUpdate({ kernel, delta, weight: maxWeight - party, metrics: {}, metricNames: [], encoding: ENCODING });
      if (!(vector instanceof Int16Array)) throw new TypeError("Sixteen bits are encoded in other than sixteen.");
      return vector;
    },
  };
}
