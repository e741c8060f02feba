/**
 * AES-128-CTR by WebCrypto, for browsers and every other host.
 *
 * @module
 */
import { counterAt, type Keystream } from "./keystream.ts";

/** Each call goes to another thread and back: few and large ones are quicker than what they lose in the cache. */
const BLOCK_BYTES = 1_048_576;
const ZEROS = new Uint8Array(BLOCK_BYTES);
/** The whole block counts (SP 800-38A, appendix B.1, with m = b). */
const COUNTER_BITS = 128;

/** Keystreams over WebCrypto. */
export const webKeystream: Keystream = {
  blockBytes: BLOCK_BYTES,
  open(key, counterBlock, offsetBytes) {
    // A copy: the caller may wipe the key before WebCrypto has read it.
    let next = counterAt(counterBlock, offsetBytes);
    const imported = crypto.subtle.importKey("raw", Uint8Array.from(key), "AES-CTR", false, ["encrypt"]);
    return {
      async generate(into) {
        const counter = next;
        next = counterAt(counter, into.length);
        const data = ZEROS.subarray(0, into.length);
        into.set(new Uint8Array(await crypto.subtle.encrypt({ name: "AES-CTR", counter, length: COUNTER_BITS }, await imported, data)));
      },
    };
  },
};
