/**
 * Keys of mask streams. Sources: Bonawitz et al. (CCS 2017), section 4 (masks as the PRG of an agreed seed); HKDF with SHA-256, RFC 5869; AES-128 in counter mode,
 * NIST SP 800-38A §6.5.
 *
 * A mask belongs to an attempt (`context`) and a pair of parties; a vector takes it in chunks, each under a key of its own, so that any part of a vector can be
 * unmasked without generating what lies before:
 *
 * ```
 * prk = HKDF-Extract(salt = context, ikm = seed)
 * okm = HKDF-Expand(prk, canonicalBytes("ciphernx.secagg.v1/mask", [low, high, chunk]), 32)
 * key = okm[0..16), counter block = okm[16..32)
 * ```
 *
 * HMAC is @noble/hashes': on short inputs it is quicker than Node's, and browsers have it too.
 *
 * @module
 */
import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { canonicalBytes } from "../../keys/canonical-bytes.ts";

/** Coordinates of a chunk: 1 MiB of stream in words of four bytes, against which deriving a key costs little. A multiple of the 8 coordinates that end at a whole byte. */
export const CHUNK_COORDINATES = 262_144;

const DOMAIN = "ciphernx.secagg.v1/mask";
const KEY_BYTES = 16;
const COUNTER_BYTES = 16;

/** One mask, and how it enters the sum. */
export interface MaskStream {
  /** Of `maskSeed`: 32 bytes. Whoever has them has the mask. */
  readonly prk: Uint8Array;
  /** The place of the pair's lower party; both places are the party's own for its self mask. */
  readonly low: number;
  readonly high: number;
  /** 1 adds the mask, −1 subtracts it. */
  readonly sign: 1 | -1;
}

/** The pseudo-random key of a mask from its seed: the self mask's, or the X25519 secret that two parties share. */
export function maskSeed(context: Uint8Array, seed: Uint8Array): Uint8Array {
  return extract(sha256, seed, context);
}

/** AES-128 key and first counter block of a stream's chunk. The caller may wipe both. */
export function chunkKey(
  { prk, low, high }: Pick<MaskStream, "prk" | "low" | "high">,
  chunk: number,
): { readonly key: Uint8Array; readonly counterBlock: Uint8Array } {
  const okm = expand(sha256, prk, canonicalBytes(DOMAIN, [BigInt(low), BigInt(high), BigInt(chunk)]), KEY_BYTES + COUNTER_BYTES);
  return { key: okm.subarray(0, KEY_BYTES), counterBlock: okm.subarray(KEY_BYTES) };
}
