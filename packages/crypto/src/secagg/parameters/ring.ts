/**
 * The ring Z_2^bits in which masked vectors are added, and how they are packed. Source: Bonawitz et al. (CCS 2017), section 4.1 ("Z_R"); R is a power of two here, so
 * that a mask reduced from a stream of random words is uniform without rejecting any.
 *
 * @module
 */

/** Integers modulo 2^bits. */
export interface Ring {
  /** From 2 to 53. */
  readonly bits: number;
  /** Bytes of a stream that make one mask: the smallest word with room for `bits`. */
  readonly wordBytes: 2 | 4 | 8;
}

/** Sums leave as whole numbers that doubles hold. */
const MOST_BITS = 53;

/**
 * The smallest ring in which no sum of that many coordinates within ±most wraps around: parties · most ≤ 2^(bits−1) − 1.
 * @throws RangeError when that takes more than 53 bits, or a number is not a positive integer
 */
export function ringFor(most: number, parties: number): Ring {
  for (const [name, value] of Object.entries({ most, parties })) {
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`A ring takes ${name} as a positive integer, not ${value}.`);
  }
  let bits = 2;
  // Both sides are exact: up to 2^53 a double holds every integer, and a product beyond it rounds to no less than 2^53.
  while (most * parties > 2 ** (bits - 1) - 1) {
    bits += 1;
    if (bits > MOST_BITS) throw new RangeError(`Sums of ${parties} coordinates within ±${most} take more than ${MOST_BITS} bits.`);
  }
  return { bits, wordBytes: bits <= 16 ? 2 : bits <= 32 ? 4 : 8 };
}

/** Bytes of a packed vector of that many coordinates. Coordinate n lies at bits n·bits and on, least significant bit first; zeros fill the last byte. */
export function packedBytes(length: number, ring: Pick<Ring, "bits">): number {
  return Math.ceil((length * ring.bits) / 8);
}
