/** AES-128-CTR through node:crypto: what masks are held against. @module */
import { createCipheriv, randomBytes } from "node:crypto";

/**
 * The quickest blocks from 64 KiB to 4 MiB where the collector frees what each call gives, and those of the keystream where it is freed at once. Neither is a multiple of
 * a page: those are slower on some processors (see `node-keystream.ts`), and would flatter the masking.
 */
export const BLOCK = new Uint8Array(1_050_624);
export const FREED_BLOCK = new Uint8Array(67_584);

/** As many bytes of keystream, in blocks of one kind or the other. */
export function encryptZeros(lengthBytes: number, block: Uint8Array): void {
  const cipher = createCipheriv("aes-128-ctr", randomBytes(16), randomBytes(16));
  for (let left = lengthBytes; left > 0; left -= block.length) {
    const bytes = cipher.update(left < block.length ? block.subarray(0, left) : block);
    if (block === FREED_BLOCK) bytes.buffer.transfer(0);
  }
}
