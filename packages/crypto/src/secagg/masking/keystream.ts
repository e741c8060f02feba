/**
 * Keystreams of AES-128 in counter mode (NIST SP 800-38A §6.5): what encrypting zeros gives. The counter is the whole block, big endian, modulo 2^128.
 *
 * @module
 */

/** AES-128-CTR of a platform. All give the same bytes. */
export interface Keystream {
  /** Bytes that it gives most quickly in one go, and the most that may be asked for: a multiple of 64. */
  readonly blockBytes: number;
  /**
   * The keystream of a key from a byte on.
   * @param key 16 bytes, not needed afterwards
   * @param counterBlock the counter of byte 0, 16 bytes
   * @param offsetBytes a multiple of 16
   * @throws RangeError for any other offset
   */
  open(key: Uint8Array, counterBlock: Uint8Array, offsetBytes: number): OpenKeystream;
  /** Where `generate` is done at once: lets others have the thread for a moment. */
  pause?(): Promise<void>;
}

/** A keystream at a place. */
export interface OpenKeystream {
  /** Puts the next bytes there: a multiple of 16, at most `blockBytes`. One call at a time. */
  generate(into: Uint8Array<ArrayBuffer>): void | Promise<void>;
}

/** Bytes of an AES block. */
export const AES_BLOCK_BYTES = 16;

/**
 * The counter of a later block: 128 bits, big endian, which wrap around.
 * @throws RangeError when the offset is not at the beginning of a block
 */
export function counterAt(counterBlock: Uint8Array, offsetBytes: number): Uint8Array<ArrayBuffer> {
  if (!Number.isSafeInteger(offsetBytes) || offsetBytes < 0 || offsetBytes % AES_BLOCK_BYTES !== 0) {
    throw new RangeError(`A keystream can be entered at multiples of ${AES_BLOCK_BYTES} bytes, not at ${offsetBytes}.`);
  }
  const counter = Uint8Array.from(counterBlock);
  let carry = offsetBytes / AES_BLOCK_BYTES;
  for (let i = counter.length - 1; i >= 0 && carry > 0; i -= 1) {
    carry += counter[i]!;
    counter[i] = carry % 256;
    carry = Math.floor(carry / 256);
  }
  return counter;
}
