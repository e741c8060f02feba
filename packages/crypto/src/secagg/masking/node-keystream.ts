/**
 * AES-128-CTR by Node's own OpenSSL.
 *
 * @module
 */
import { createCipheriv, createSecretKey } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { counterAt, type Keystream } from "./keystream.ts";

/**
 * Stays in the second-level cache from the cipher to the sum, and is large against the cost of a call. Deliberately no multiple of a page: Node copies what the cipher
 * gave into memory beside it, and on some AMD processors copies (`rep movsb`) take many times as long when both lie alike in their pages; blocks of 64 KiB take three
 * times as long as these.
 */
const BLOCK_BYTES = 67_584;
const ZEROS = new Uint8Array(BLOCK_BYTES);

/** Keystreams over node:crypto. */
export const nodeKeystream: Keystream = {
  blockBytes: BLOCK_BYTES,
  open(key, counterBlock, offsetBytes) {
    // As a KeyObject: a cipher of plain bytes takes ten times as long to set up.
    const cipher = createCipheriv("aes-128-ctr", createSecretKey(key), counterAt(counterBlock, offsetBytes));
    return {
      generate(into) {
        const bytes = cipher.update(into.length === BLOCK_BYTES ? ZEROS : ZEROS.subarray(0, into.length));
        into.set(bytes);
        // Gives the memory back at once instead of to the collector: the next block then lies in memory that is still in the cache, which saves a third of the time.
        // Node gives every update memory of its own; were it a part of a pool, that would have to stay.
        if (bytes.buffer.byteLength === bytes.length) bytes.buffer.transfer(0);
      },
    };
  },
  pause: () => setImmediate(),
};
