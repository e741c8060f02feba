/**
 * Merkle trees as Certificate Transparency has them: a list is bound by one hash, and that an entry has its place in it is shown by a few.
 * Standard: RFC 9162, "Certificate Transparency Version 2.0" (2021), §2.1, with SHA-256.
 *
 * Assumes that SHA-256 is collision resistant (128 bit): then no two lists have one root, and no entry a proof for a place that it does not
 * have. Leaves and inner nodes are hashed under different prefixes, so that neither can pass for the other. Nothing in a tree is hidden: whoever
 * can guess an entry can check the guess.
 *
 * @module
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** The tree of a list. */
export interface MerkleTree {
  /** Entries. */
  readonly size: number;
  /** 32 bytes; of an empty list the hash of nothing. */
  readonly root: Uint8Array;
  /** RFC 9162 §2.1.3.1: hashes by which the root follows from the entry of that index, lowest first. @throws RangeError where there is no such entry */
  proof(index: number): readonly Uint8Array[];
}

/** The tree of these entries in their order, kept whole: 64 bytes each. */
export function merkleTree(entries: readonly Uint8Array[]): MerkleTree {
  // Level by level, the last node of an odd one unchanged: the same as splitting at the largest power of two.
  const levels = [entries.map(leafHash)];
  for (let level = levels[0]!; level.length > 1; levels.push(level)) {
    level = Array.from({ length: Math.ceil(level.length / 2) }, (_, index) => {
      const [left, right] = [level[2 * index]!, level[2 * index + 1]];
      return right === undefined ? left : nodeHash(left, right);
    });
  }
  return {
    size: entries.length,
    root: levels.at(-1)![0] ?? sha256(new Uint8Array()),
    proof(index) {
      if (!Number.isSafeInteger(index) || index < 0 || index >= entries.length) {
        throw new RangeError(`A tree of ${entries.length} entries has none at ${index}.`);
      }
      return levels.flatMap((level, height) => level[Math.floor(index / 2 ** height) ^ 1] ?? []);
    },
  };
}

/** That a list has an entry at a place, by the hashes that say so. */
export interface Inclusion {
  readonly entry: Uint8Array;
  readonly index: number;
  /** Entries of the list. */
  readonly size: number;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** RFC 9162 §2.1.3.2. False for whatever does not fit, as a size or index that is no count. */
export function isIncluded({ entry, index, size, root, proof }: Inclusion): boolean {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size || size > 2 ** 31) return false;
  let [at, last] = [index, size - 1];
  let hash = leafHash(entry);
  for (const sibling of proof) {
    if (last === 0 || sibling.length !== root.length) return false;
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(sibling, hash);
      while (at % 2 === 0 && at !== 0) [at, last] = [at >> 1, last >> 1];
    } else hash = nodeHash(hash, sibling);
    [at, last] = [at >> 1, last >> 1];
  }
  return last === 0 && root.length === hash.length && hash.every((byte, i) => byte === root[i]);
}

function leafHash(entry: Uint8Array): Uint8Array {
  return sha256(concatBytes(LEAF, entry));
}

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(concatBytes(NODE, left, right));
}
