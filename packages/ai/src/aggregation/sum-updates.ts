import { addVectors, paddedLength, RESIDENT } from "./adder.ts";
import { COORDINATE_BYTES, type CoordinateDtype, type VectorLayout } from "./encoding.ts";
import { decodeExtras, type UpdateExtras } from "./extras.ts";
import type { AggregationKernel } from "./kernel.ts";
import { readTile, type TileSource } from "./tile-source.ts";

/** Coordinates of a tile unless told: 512 KB of sum, and 1 MB of int32 updates, at any number of parties. */
export const DEFAULT_TILE_LENGTH = 65_536;

export interface SumUpdatesOptions {
  readonly kernel: AggregationKernel;
  readonly sources: readonly TileSource[];
  readonly dtype: CoordinateDtype;
  /** First coordinate. Default 0. */
  readonly start?: number;
  /** Number of coordinates from there. */
  readonly length: number;
  readonly tileLength?: number;
  readonly signal?: AbortSignal;
}

/** Sums of a run of coordinates. */
export interface SumTile {
  /** The first one's place in the vector. */
  readonly offset: number;
  /** Valid until the next tile is asked for: the memory is used again. */
  readonly sum: BigInt64Array;
}

/**
 * Adds vectors tile by tile, in int64, so that memory is that of one tile whatever their number and length.
 * Integers add exactly: neither the order of the sources nor the tile length changes a bit.
 * @throws NexusError UPDATE_REJECTED naming a source that ends too early; whatever a source's read throws.
 */
export async function* sumUpdates(options: SumUpdatesOptions): AsyncGenerator<SumTile, void, undefined> {
  const { kernel, sources, dtype, start = 0, length, tileLength = DEFAULT_TILE_LENGTH, signal } = options;
  const most = Math.min(Math.max(1, tileLength), length);
  const places = paddedLength(most);
  const strideBytes = places * COORDINATE_BYTES[dtype];
  using lent = kernel.lend(places * 8, strideBytes * RESIDENT);
  const { exports, buffer, addresses } = lent;
  const [sum, updates] = addresses as [number, number];
  const sums = new BigInt64Array(buffer, sum, places);
  for (let done = 0; done < length; done += most) {
    const offset = start + done;
    const tile = Math.min(most, length - done);
    sums.fill(0n);
    for (let first = 0; first < sources.length; first += RESIDENT) {
      signal?.throwIfAborted();
      const group = sources.slice(first, first + RESIDENT);
      const slots = group.map((_, slot) => new Uint8Array(buffer, updates + slot * strideBytes, tile * COORDINATE_BYTES[dtype]));
      // All of them, also when one fails: the memory is lent, and a read that comes late would write into somebody else's.
      const reads = await Promise.allSettled(group.map((source, slot) => readTile(source, dtype, offset, tile, slots[slot]!)));
      for (const read of reads) if (read.status === "rejected") throw read.reason;
      addVectors(exports, dtype, { sum, updates, strideBytes, count: group.length, length: tile });
    }
    yield { offset, sum: sums.subarray(0, tile) };
  }
}

/** Adds the extra coordinates alone: they come last in a vector, and Σweight is needed before the first mean. */
export async function sumExtras(options: {
  readonly kernel: AggregationKernel;
  readonly sources: readonly TileSource[];
  readonly layout: VectorLayout;
  readonly signal?: AbortSignal;
}): Promise<UpdateExtras> {
  const { layout, ...rest } = options;
  const tiles = sumUpdates({ ...rest, dtype: layout.dtype, start: layout.parameters, length: layout.extras, tileLength: layout.extras });
  for await (const { sum } of tiles) return decodeExtras(sum, layout);
  throw new RangeError("A vector has no extra coordinates.");
}
