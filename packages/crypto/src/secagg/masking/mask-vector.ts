/**
 * The party's side of masking: its vector and the streams of its masks, added modulo 2^bits and packed. Source: Bonawitz et al. (CCS 2017), Figure 4, round 2.
 *
 * @module
 */
import { addStreams, blocksBytes, bySign } from "./add-streams.ts";
import { GROUP, type MaskKernel, PACKED_MARGIN_BYTES, wholeLines, wordKernels } from "./kernel.ts";
import type { Keystream } from "./keystream.ts";
import { CHUNK_COORDINATES, type MaskStream } from "./mask-key.ts";
import { packedBytes, type Ring } from "../parameters/ring.ts";

export interface MaskVectorOptions {
  readonly kernel: MaskKernel;
  readonly keystream: Keystream;
  readonly ring: Ring;
  /** Coordinates; they are taken modulo 2^bits. */
  readonly vector: Int8Array | Int16Array | Int32Array;
  readonly streams: readonly MaskStream[];
  /** Where the packed vector is to lie, of exactly its size. */
  readonly into?: Uint8Array<ArrayBuffer>;
}

/**
 * Masks a vector, chunk by chunk: memory is that of one chunk beside the vector and the result.
 * @returns the packed vector, `packedBytes(vector.length, ring)` bytes
 * @throws RangeError when `into` has another size
 */
export async function maskVector(options: MaskVectorOptions): Promise<Uint8Array<ArrayBuffer>> {
  const { kernel, keystream, ring, vector, into } = options;
  const { bits, wordBytes } = ring;
  const sizeBytes = packedBytes(vector.length, ring);
  const out = into ?? new Uint8Array(sizeBytes);
  if (out.length !== sizeBytes) throw new RangeError(`A packed vector of ${sizeBytes} bytes does not go into ${out.length}.`);
  const streams = bySign(options.streams);
  const most = Math.min(CHUNK_COORDINATES, Math.ceil(vector.length / GROUP) * GROUP);
  const wordsBytes = wholeLines(most * wordBytes);
  using lent = kernel.lend(wordsBytes, blocksBytes(keystream, ring, most), packedBytes(most, ring) + PACKED_MARGIN_BYTES);
  const { exports, buffer, addresses } = lent;
  const [words, blocks, packed] = addresses as [number, number, number];
  const { pack } = wordKernels(exports, wordBytes);
  for (let offset = 0; offset < vector.length; offset += most) {
    const length = Math.min(most, vector.length - offset);
    const groups = Math.ceil(length / GROUP);
    const part = vector.subarray(offset, offset + length);
    // Typed arrays convert as the ring does, modulo their own size. There is room for i32 in that of the packed vector.
    if (wordBytes === 2) new Int16Array(buffer, words, length).set(part);
    else if (wordBytes === 4) new Int32Array(buffer, words, length).set(part);
    else {
      new Int32Array(buffer, packed, length).set(part);
      exports.widen(packed, words, groups);
    }
    await addStreams({ exports, buffer, words, blocks, chunk: offset / CHUNK_COORDINATES, first: 0, length }, { keystream, ring, streams });
    // The last group is filled up with zeros, not with masks.
    new Uint8Array(buffer, words, wordsBytes).fill(0, length * wordBytes);
    pack(words, packed, bits, groups);
    out.set(new Uint8Array(buffer, packed, packedBytes(length, ring)), (offset * bits) / 8);
  }
  return out;
}
