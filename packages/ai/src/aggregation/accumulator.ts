import { addVectors, paddedLength, RESIDENT } from "./adder.ts";
import { COORDINATE_BYTES, type CoordinateDtype, type CoordinateVector } from "./encoding.ts";
import type { AggregationKernel } from "./kernel.ts";

/** A sum of vectors in memory: O(model), whatever their number. Gives the same bits as `sumUpdates`. */
export interface Accumulator {
  readonly length: number;
  /** Adds a vector of coordinates of the accumulator's type; it may be used again afterwards. */
  add(vector: CoordinateVector): void;
  /** Adds another accumulator's sum, for example a worker's, which may lie in shared memory. */
  addPartial(sum: BigInt64Array): void;
  /** The sum of all that was added: a view that later additions change. */
  readonly sum: BigInt64Array;
  /** Begins anew at zero. */
  reset(): void;
}

/** An empty sum of vectors of this length and type. */
export function createAccumulator(kernel: AggregationKernel, length: number, dtype: CoordinateDtype): Accumulator {
  const places = paddedLength(length);
  const strideBytes = places * COORDINATE_BYTES[dtype];
  const { exports, buffer, addresses } = kernel.instantiate(places * 8, Math.max(strideBytes * RESIDENT, places * 8));
  const [sumAddress, updates] = addresses as [number, number];
  const sum = new BigInt64Array(buffer, sumAddress, length);
  const bytes = new Uint8Array(buffer, updates);
  let resident = 0;

  function flush(): void {
    addVectors(exports, dtype, { sum: sumAddress, updates, strideBytes, count: resident, length });
    resident = 0;
  }

  return {
    length,
    add(vector) {
      if (vector.length !== length || vector.BYTES_PER_ELEMENT !== COORDINATE_BYTES[dtype]) {
        throw new RangeError(
          `A vector of ${vector.length} × ${vector.BYTES_PER_ELEMENT} bytes cannot be added to ${length} × ${COORDINATE_BYTES[dtype]}.`,
        );
      }
      bytes.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), resident * strideBytes);
      resident += 1;
      if (resident === RESIDENT) flush();
    },
    addPartial(partial) {
      if (partial.length !== length) throw new RangeError(`A sum of ${partial.length} coordinates cannot be added to ${length}.`);
      flush();
      new BigInt64Array(buffer, updates, length).set(partial);
      exports.addInt64(sumAddress, updates, places);
    },
    get sum() {
      flush();
      return sum;
    },
    reset() {
      resident = 0;
      sum.fill(0n);
    },
  };
}
