import { type MaskExports, wholeLines, wordKernels } from "./kernel.ts";
import type { Keystream } from "./keystream.ts";
import { chunkKey, type MaskStream } from "./mask-key.ts";
import type { Ring } from "../parameters/ring.ts";

/** Streams that the kernels add in one pass over the sum: four blocks of Node's keystream fit the second-level cache beside it. */
export const STREAMS_A_PASS = 4;

/** Room in the kernels' memory for the blocks of a pass over that many coordinates. */
export function blocksBytes(keystream: Keystream, ring: Ring, coordinates: number): number {
  return STREAMS_A_PASS * Math.min(keystream.blockBytes, wholeLines(coordinates * ring.wordBytes));
}

/** Streams to be added come first, so that a pass has both kinds at most once. */
export function bySign(streams: readonly MaskStream[]): readonly MaskStream[] {
  return [...streams.filter(({ sign }) => sign === 1), ...streams.filter(({ sign }) => sign === -1)];
}

/** Words in the kernels' memory, and which coordinates they are. */
export interface MaskedWords {
  readonly exports: MaskExports;
  readonly buffer: ArrayBuffer;
  /** Address of the words, which have room for whole lines. */
  readonly words: number;
  /** Address of the room for blocks. */
  readonly blocks: number;
  readonly chunk: number;
  /** Place of the first coordinate in its chunk: a multiple of 8. */
  readonly first: number;
  /** Coordinates, which do not go beyond the chunk. */
  readonly length: number;
}

export interface AddStreamsOptions {
  readonly keystream: Keystream;
  readonly ring: Ring;
  /** Of `bySign`. */
  readonly streams: readonly MaskStream[];
  readonly signal?: AbortSignal | undefined;
}

/** Adds streams to words, or subtracts them, as their signs say. */
export async function addStreams(target: MaskedWords, { keystream, ring, streams, signal }: AddStreamsOptions): Promise<void> {
  const { exports, buffer, words, blocks, chunk, first, length } = target;
  const { addWords, subtractWords } = wordKernels(exports, ring.wordBytes);
  const sizeBytes = wholeLines(length * ring.wordBytes);
  const blockBytes = Math.min(keystream.blockBytes, sizeBytes);
  for (let done = 0; done < streams.length; done += STREAMS_A_PASS) {
    signal?.throwIfAborted();
    const pass = streams.slice(done, done + STREAMS_A_PASS);
    const added = pass.filter(({ sign }) => sign === 1).length;
    const opened = pass.map((stream) => {
      const { key, counterBlock } = chunkKey(stream, chunk);
      return keystream.open(key, counterBlock, first * ring.wordBytes);
    });
    for (let at = 0; at < sizeBytes; at += blockBytes) {
      const lengthBytes = Math.min(blockBytes, sizeBytes - at);
      const late: Promise<void>[] = [];
      for (const [slot, stream] of opened.entries()) {
        const filled = stream.generate(new Uint8Array(buffer, blocks + slot * blockBytes, lengthBytes));
        if (filled !== undefined) late.push(filled);
      }
      // All of them, also when one fails: the memory is lent, and bytes that come late would be written into somebody else's.
      if (late.length > 0) for (const one of await Promise.allSettled(late)) if (one.status === "rejected") throw one.reason;
      if (added > 0) addWords(words + at, blocks, blockBytes, added, lengthBytes);
      if (added < pass.length) subtractWords(words + at, blocks + added * blockBytes, blockBytes, pass.length - added, lengthBytes);
    }
    await keystream.pause?.();
  }
}
