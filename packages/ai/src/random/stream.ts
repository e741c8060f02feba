import { sha256 } from "@noble/hashes/sha2.js";
import { philox4x32 } from "./philox.ts";

/**
 * A named stream of pseudo-random numbers for training, splitting and selection (never for secrets).
 * Two streams with the same seed and path give the same numbers on every host.
 */
export interface RandomStream {
  /** Uniform integer in [0, 2^32). */
  uint32(): number;
  /**
   * Uniform integer in [0, bound), unbiased.
   * @throws RangeError when bound is not a whole number in [1, 2^32].
   */
  below(bound: number): number;
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number;
  /** Shuffles in place (Fisher–Yates). */
  shuffle<T extends Uint32Array | unknown[]>(items: T): T;
}

/**
 * Opens the stream of a path under a run's seed, for example
 * `randomStream(42, "shuffle", "hospital-1", 3)`. Path parts are text or whole numbers and are hashed as
 * JSON, so no two different paths collide by concatenation.
 * @throws RangeError when the seed or a number of the path is not a safe whole number.
 */
export function randomStream(seed: number, ...path: readonly (string | number)[]): RandomStream {
  for (const part of [seed, ...path]) {
    if (typeof part === "number" && !Number.isSafeInteger(part)) throw new RangeError(`${part} names no random stream: whole numbers do.`);
  }
  const canonical = JSON.stringify(["ciphernx/random/v1", seed, ...path]);
  const digest = sha256(new TextEncoder().encode(canonical));
  const words = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
  const key = new Uint32Array([words.getUint32(0, true), words.getUint32(4, true)]);
  // The upper half of the counter is part of the stream's name as well: 128 bits keep streams apart.
  const counter = new Uint32Array([0, 0, words.getUint32(8, true), words.getUint32(12, true)]);
  const block = new Uint32Array(4);
  let used = 4;

  function uint32(): number {
    if (used === 4) {
      philox4x32(key, counter, block);
      counter[0] = counter[0]! + 1;
      if (counter[0] === 0) counter[1] = counter[1]! + 1;
      used = 0;
    }
    const word = block[used]!;
    used += 1;
    return word;
  }

  function below(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > 0x1_0000_0000) throw new RangeError(`A bound lies in [1, 2^32], not at ${bound}.`);
    // Rejection over the largest multiple of bound: no modulo bias.
    const limit = 0x1_0000_0000 - (0x1_0000_0000 % bound);
    let word = uint32();
    while (word >= limit) word = uint32();
    return word % bound;
  }

  return {
    uint32,
    below,
    uniform: () => ((uint32() >>> 5) * 0x4000000 + (uint32() >>> 6)) / 0x20000000000000,
    shuffle(items) {
      for (let i = items.length - 1; i > 0; i -= 1) {
        const j = below(i + 1);
        const kept = items[i]!;
        items[i] = items[j]!;
        items[j] = kept;
      }
      return items;
    },
  };
}
