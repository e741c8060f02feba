/**
 * The coordinator's side of masking: adds packed vectors and takes off the masks that are left in their sum, tile by tile.
 * Source: Bonawitz et al. (CCS 2017), Figure 4, round 4.
 *
 * @module
 */
import { addStreams, blocksBytes, bySign } from "./add-streams.ts";
import { GROUP, type MaskKernel, PACKED_MARGIN_BYTES, wholeLines, wordKernels } from "./kernel.ts";
import type { Keystream } from "./keystream.ts";
import { CHUNK_COORDINATES, type MaskStream } from "./mask-key.ts";
import { packedBytes, type Ring } from "../parameters/ring.ts";

/** Vectors that are read at once. */
const RESIDENT = 4;
/** Coordinates whose sums stay in the first-level cache while every resident vector is added to them. */
const BLOCK = 4_096;

/** A party's packed vector, wherever it lies. */
export interface PackedSource {
  /** Whose it is, for messages. */
  readonly name: string;
  /**
   * Reads bytes of the packed vector; offset 0 is its first coordinate. They may be put into the memory that is given, which has that length, and be handed
   * back as it, or lie anywhere else.
   */
  read(offsetBytes: number, lengthBytes: number, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
}

export interface UnmaskSumOptions {
  readonly kernel: MaskKernel;
  readonly keystream: Keystream;
  readonly ring: Ring;
  readonly sources: readonly PackedSource[];
  /** Masks that are left, with the sign with which they are added to the sum. */
  readonly streams: readonly MaskStream[];
  /** First coordinate. Default 0. */
  readonly start?: number;
  /** Number of coordinates from there. */
  readonly length: number;
  /** Coordinates of a tile at most. Default and most: a chunk; every tile of a chunk derives the keys of all streams again. */
  readonly tileLength?: number;
  readonly signal?: AbortSignal;
}

/** Sums of a run of coordinates. */
export interface UnmaskedTile {
  /** The first one's place in the vector. */
  readonly offset: number;
  /** From −2^(bits−1) to 2^(bits−1) − 1. Valid until the next tile is asked for: the memory is used again. */
  readonly sum: BigInt64Array;
}

/** A packed vector has fewer bytes than its length in coordinates says. */
export class PackedVectorTooShort extends RangeError {
  override readonly name = "PackedVectorTooShort";
  /** Whose vector it is. */
  readonly source: string;

  constructor(source: string, message: string) {
    super(message);
    this.source = source;
  }
}

/**
 * The plain sum of masked vectors. Memory is that of one tile, whatever their number and length; neither the order of the sources nor the tile length changes a bit.
 * Tiles end where chunks do, so they may be shorter than `tileLength`.
 * @throws PackedVectorTooShort naming a source that ends too early; whatever a source's read throws
 */
export async function* unmaskSum(options: UnmaskSumOptions): AsyncGenerator<UnmaskedTile, void, undefined> {
  const { kernel, keystream, ring, sources, start = 0, length, tileLength = CHUNK_COORDINATES, signal } = options;
  const { bits, wordBytes } = ring;
  const streams = bySign(options.streams);
  const most = Math.min(Math.max(1, tileLength), length, CHUNK_COORDINATES);
  // A tile may begin and end within a group; sums are made of whole ones.
  const places = (Math.ceil(most / GROUP) + 1) * GROUP;
  const wordsBytes = wholeLines(places * wordBytes);
  const strideBytes = wholeLines(packedBytes(places, ring) + PACKED_MARGIN_BYTES);
  using lent = kernel.lend(wordsBytes, blocksBytes(keystream, ring, places), places * 8, strideBytes * RESIDENT);
  const { exports, buffer, addresses } = lent;
  const [words, blocks, sums, packed] = addresses as [number, number, number, number];
  const { addPacked, extend } = wordKernels(exports, wordBytes);

  for (let offset = start, end: number; offset < start + length; offset = end) {
    const chunk = Math.floor(offset / CHUNK_COORDINATES);
    end = Math.min(offset + most, start + length, (chunk + 1) * CHUNK_COORDINATES);
    const lead = offset % GROUP;
    const first = offset - lead;
    const groups = Math.ceil((end - first) / GROUP);
    const firstByte = (first / GROUP) * bits;
    const lengthBytes = packedBytes(end - first, ring);
    new Uint8Array(buffer, words, wordsBytes).fill(0);

    for (let from = 0; from < sources.length; from += RESIDENT) {
      signal?.throwIfAborted();
      const resident = sources.slice(from, from + RESIDENT);
      const reads = resident.map((source, slot) => readPacked(source, firstByte, new Uint8Array(buffer, packed + slot * strideBytes, lengthBytes)));
      // All of them, also when one fails: the memory is lent, and a read that comes late would write into somebody else's.
      for (const read of await Promise.allSettled(reads)) if (read.status === "rejected") throw read.reason;
      for (let group = 0; group < groups; group += BLOCK / GROUP) {
        const count = Math.min(BLOCK / GROUP, groups - group);
        for (const slot of resident.keys()) {
          addPacked(words + group * GROUP * wordBytes, packed + slot * strideBytes + group * bits, bits, count);
        }
      }
    }
    const target = { exports, buffer, words, blocks, chunk, first: first - chunk * CHUNK_COORDINATES, length: end - first };
    await addStreams(target, { keystream, ring, streams, signal });
    extend(words, sums, bits, groups);
    yield { offset, sum: new BigInt64Array(buffer, sums + lead * 8, end - offset) };
  }
}

async function readPacked(source: PackedSource, offsetBytes: number, into: Uint8Array<ArrayBuffer>): Promise<void> {
  const bytes = await source.read(offsetBytes, into.length, into);
  if (bytes.length !== into.length) {
    throw new PackedVectorTooShort(
      source.name,
      `The masked vector of ${source.name} ends too early: ${bytes.length} of ${into.length} bytes at byte ${offsetBytes}.`,
    );
  }
  if (bytes.buffer !== into.buffer || bytes.byteOffset !== into.byteOffset) into.set(bytes);
}
