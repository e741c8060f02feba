import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  CHUNK_COORDINATES,
  instantiateMaskKernel,
  type Keystream,
  loadMaskKernel,
  type MaskKernel,
  maskSeed,
  type MaskStream,
  maskVector,
  packedBytes,
  type PackedSource,
  PackedVectorTooShort,
  type Ring,
  ringFor,
  unmaskSum,
  type UnmaskSumOptions,
  webKeystream,
} from "./index.ts";
import { chunkKey } from "./mask-key.ts";
import { CONTEXT, KEYS, MASKED, SEEDS } from "./masking.vectors.ts";
import { nodeKeystream } from "./node-keystream.ts";
import { slowChunkKey, type SlowMask, slowMaskVector } from "./test/slow-reference.ts";

let kernel: MaskKernel;
beforeAll(async () => {
  kernel = await loadMaskKernel();
});

type Vector = Int8Array | Int16Array | Int32Array;
const ARRAYS = { I8: Int8Array, I16: Int16Array, I32: Int32Array };
const MOST = { I8: 127, I16: 32_767, I32: 2_147_483_647 };
const context = hexToBytes(CONTEXT);

const seedOf = (low: number, high: number) => Uint8Array.from({ length: 32 }, (_, i) => (low * 31 + high * 7 + i) & 0xff);
const streamOf = ({ seed, low, high, sign }: SlowMask): MaskStream => ({ prk: maskSeed(context, seed), low, high, sign });

/** A party's masks in a complete graph: its own, and one for each other. */
function masksOf(party: number, parties: number): SlowMask[] {
  return Array.from({ length: parties }, (_, other) => {
    const [low, high] = [Math.min(party, other), Math.max(party, other)];
    return { seed: seedOf(low, high), low, high, sign: party <= other ? 1 : -1 };
  });
}

/** What is left in the sum of the survivors' vectors, to be taken off. */
function leftOf(survivors: readonly number[], parties: number): MaskStream[] {
  const isLeft = ({ low, high }: SlowMask) => low === high || !(survivors.includes(low) && survivors.includes(high));
  return survivors.flatMap((survivor) =>
    masksOf(survivor, parties)
      .filter(isLeft)
      .map((mask) => streamOf({ ...mask, sign: mask.sign === 1 ? -1 : 1 })),
  );
}

function sourceOf(name: string, packed: Uint8Array): PackedSource {
  return { name, read: (offset, length) => Promise.resolve(packed.subarray(offset, offset + length)) };
}

function plainSum(vectors: readonly Vector[], start: number, length: number): bigint[] {
  return Array.from({ length }, (_, i) => BigInt(vectors.reduce((sum, vector) => sum + vector[start + i]!, 0)));
}

async function sumAll(options: Omit<UnmaskSumOptions, "kernel" | "keystream">): Promise<bigint[]> {
  const all: bigint[] = [];
  let next = options.start ?? 0;
  for await (const { offset, sum } of unmaskSum({ kernel, keystream: nodeKeystream, ...options })) {
    expect(offset).toBe(next);
    next += sum.length;
    all.push(...sum);
  }
  return all;
}

describe("the vectors of masking.vectors.ts", () => {
  it("keys", () => {
    expect(bytesToHex(maskSeed(context, hexToBytes(SEEDS.withParty2)))).toBe(KEYS.prk);
    for (const [chunk, wanted] of KEYS.chunks.entries()) {
      const { key, counterBlock } = chunkKey({ prk: hexToBytes(KEYS.prk), low: 1, high: 2 }, chunk);
      expect({ key: bytesToHex(key), counterBlock: bytesToHex(counterBlock) }).toEqual(wanted);
      const slow = slowChunkKey(context, hexToBytes(SEEDS.withParty2), 1, 2, chunk);
      expect({ key: slow.key.toString("hex"), counterBlock: slow.counterBlock.toString("hex") }).toEqual(wanted);
    }
  });

  it.each(MASKED)("$bits bits", async ({ dtype, most, bits, wordBytes, vector, packed }) => {
    const ring = ringFor(most, 3);
    expect(ring).toEqual({ bits, wordBytes });
    const masks: SlowMask[] = [
      { seed: hexToBytes(SEEDS.self), low: 1, high: 1, sign: 1 },
      { seed: hexToBytes(SEEDS.withParty0), low: 0, high: 1, sign: -1 },
      { seed: hexToBytes(SEEDS.withParty2), low: 1, high: 2, sign: 1 },
    ];
    expect(bytesToHex(slowMaskVector(context, ring, vector, masks))).toBe(packed);
    for (const keystream of [nodeKeystream, webKeystream]) {
      const masked = await maskVector({ kernel, keystream, ring, vector: ARRAYS[dtype].from(vector), streams: masks.map(streamOf) });
      expect(bytesToHex(masked)).toBe(packed);
    }
  });
});

describe("masked vectors", () => {
  /** Parties with vectors, a ring that holds their sum, and who drops out. */
  const cases = fc
    .record({ parties: fc.integer({ min: 1, max: 7 }), dtype: fc.constantFrom("I8", "I16", "I32"), length: fc.integer({ min: 1, max: 150 }) })
    .chain(({ parties, dtype, length }) => {
      const most = MOST[dtype];
      const least = ringFor(most, parties).bits;
      const coordinate = fc.oneof(fc.integer({ min: -most, max: most }), fc.constantFrom(most, -most, 0, -1));
      return fc.record({
        parties: fc.constant(parties),
        length: fc.constant(length),
        bits: fc.oneof(fc.constant(least), fc.integer({ min: least, max: 53 })),
        vectors: fc
          .array(fc.array(coordinate, { minLength: length, maxLength: length }), { minLength: parties, maxLength: parties })
          .map((vectors) => vectors.map((vector) => ARRAYS[dtype].from(vector))),
        survivors: fc.subarray(
          Array.from({ length: parties }, (_, party) => party),
          { minLength: 1 },
        ),
        tileLength: fc.integer({ min: 1, max: 200 }),
        window: fc.tuple(fc.nat(length - 1), fc.nat(length)),
      });
    });
  const ringOf = (bits: number): Ring => ({ bits, wordBytes: bits <= 16 ? 2 : bits <= 32 ? 4 : 8 });

  it("are the slow reference's, byte for byte, and add up to the plain sum whoever drops out, in any window and tiles", async () => {
    const property = fc.asyncProperty(cases, async ({ parties, length, bits, vectors, survivors, tileLength, window }) => {
      const ring = ringOf(bits);
      const packed: Uint8Array[] = [];
      for (const [party, vector] of vectors.entries()) {
        const masks = masksOf(party, parties);
        const masked = await maskVector({ kernel, keystream: nodeKeystream, ring, vector, streams: masks.map(streamOf) });
        expect(Buffer.compare(masked, slowMaskVector(context, ring, vector, masks))).toBe(0);
        packed.push(masked);
      }
      const sources = survivors.map((survivor) => sourceOf(`party ${survivor}`, packed[survivor]!));
      const alive = survivors.map((survivor) => vectors[survivor]!);
      const streams = leftOf(survivors, parties);
      const start = window[0];
      const count = Math.min(window[1], length - start);
      expect(await sumAll({ ring, sources, streams, length, tileLength })).toEqual(plainSum(alive, 0, length));
      expect(await sumAll({ ring, sources: sources.toReversed(), streams: streams.toReversed(), start, length: count, tileLength })).toEqual(
        plainSum(alive, start, count),
      );
    });
    await fc.assert(property, { numRuns: 150 });
  });

  it.each(Array.from({ length: 52 }, (_, index) => index + 2))("add up in a ring of %i bits at its very ends", async (bits) => {
    const ring = ringOf(bits);
    const extreme = Math.min(2 ** (bits - 1) - 1, MOST.I32);
    const vector = Int32Array.from({ length: 21 }, (_, n) => (n % 3 === 0 ? extreme : n % 3 === 1 ? -extreme : n - 10 > extreme ? 0 : -1));
    const masks = masksOf(0, 1);
    const packed = await maskVector({ kernel, keystream: nodeKeystream, ring, vector, streams: masks.map(streamOf) });
    expect(bytesToHex(packed)).toBe(bytesToHex(slowMaskVector(context, ring, vector, masks)));
    const sum = await sumAll({ ring, sources: [sourceOf("anna", packed)], streams: leftOf([0], 1), length: 21 });
    expect(sum).toEqual(Array.from(vector, BigInt));
  });

  it("come to nothing but the self masks when nobody drops out", async () => {
    const ring = ringOf(23);
    const parties = 4;
    const vectors = Array.from({ length: parties }, (_, party) => Int16Array.from({ length: 100 }, (_, n) => n * (party - 2)));
    const sources: PackedSource[] = [];
    for (const [party, vector] of vectors.entries()) {
      const streams = masksOf(party, parties)
        .filter(({ low, high }) => low !== high)
        .map(streamOf);
      const masked = await maskVector({ kernel, keystream: nodeKeystream, ring, vector, streams });
      const plain = slowMaskVector(context, ring, vector, []);
      expect(Buffer.compare(masked, plain)).not.toBe(0);
      sources.push(sourceOf(`party ${party}`, masked));
    }
    expect(await sumAll({ ring, sources, streams: [], length: 100 })).toEqual(plainSum(vectors, 0, 100));
    // Without one of them it is no sum of anything.
    expect(await sumAll({ ring, sources: sources.slice(1), streams: [], length: 100 })).not.toEqual(plainSum(vectors.slice(1), 0, 100));
  });
});

describe.each([13, 23, 30, 40])("around the end of a chunk, %i bits", (bits) => {
  const length = CHUNK_COORDINATES + 77;
  const ring: Ring = { bits, wordBytes: bits <= 16 ? 2 : bits <= 32 ? 4 : 8 };
  const most = 2 ** Math.min(bits - 3, 15) - 1;
  const vectors = [3, 5].map((step) => Int16Array.from({ length }, (_, n) => ((n * step * 7919) % (2 * most + 1)) - most));
  let packed: Uint8Array[];
  beforeAll(async () => {
    packed = [];
    for (const [party, vector] of vectors.entries()) {
      packed.push(await maskVector({ kernel, keystream: nodeKeystream, ring, vector, streams: masksOf(party, 2).map(streamOf) }));
    }
  });

  it("packed vectors are the slow reference's and the other keystream's", async () => {
    expect(Buffer.compare(packed[1]!, slowMaskVector(context, ring, vectors[1]!, masksOf(1, 2)))).toBe(0);
    const streams = masksOf(1, 2).map(streamOf);
    const into = new Uint8Array(packedBytes(length, ring));
    expect(await maskVector({ kernel, keystream: webKeystream, ring, vector: vectors[1]!, streams, into })).toBe(into);
    expect(Buffer.compare(into, packed[1]!)).toBe(0);
  });

  it("whole vectors and windows that begin and end anywhere add up", async () => {
    const sources = packed.map((bytes, party) => sourceOf(`party ${party}`, bytes));
    const streams = leftOf([0, 1], 2);
    const whole = new BigInt64Array(length);
    for await (const { offset, sum } of unmaskSum({ kernel, keystream: webKeystream, ring, sources, streams, length })) whole.set(sum, offset);
    expect(Buffer.compare(new Uint8Array(whole.buffer), new Uint8Array(BigInt64Array.from(plainSum(vectors, 0, length)).buffer))).toBe(0);
    const property = fc.asyncProperty(fc.integer({ min: -60, max: 70 }), fc.integer({ min: 1, max: 100 }), async (from, count) => {
      const start = CHUNK_COORDINATES + from;
      const window = { start, length: Math.min(count, length - start) };
      expect(await sumAll({ ring, sources: sources.slice(1), streams: leftOf([1], 2), tileLength: count, ...window })).toEqual(
        plainSum(vectors.slice(1), window.start, window.length),
      );
      expect(await sumAll({ ring, sources, streams, tileLength: 17, ...window })).toEqual(plainSum(vectors, window.start, window.length));
    });
    await fc.assert(property, { numRuns: 25 });
  });
});

describe("the edges", () => {
  const ring = ringFor(127, 2);
  const short = new Int8Array(40);

  it("an empty vector is no bytes, and no tiles", async () => {
    expect(await maskVector({ kernel, keystream: nodeKeystream, ring, vector: new Int8Array(), streams: [] })).toEqual(new Uint8Array());
    expect(await sumAll({ ring, sources: [], streams: [], length: 0 })).toEqual([]);
  });

  it("refuses room of another size", async () => {
    const into = new Uint8Array(packedBytes(40, ring) + 1);
    await expect(maskVector({ kernel, keystream: nodeKeystream, ring, vector: short, streams: [], into })).rejects.toThrow(RangeError);
  });

  it("refuses a source that ends too early, by name", async () => {
    const good = sourceOf("anna", new Uint8Array(packedBytes(40, ring)));
    const bad = sourceOf("bert", new Uint8Array(packedBytes(40, ring) - 1));
    await expect(sumAll({ ring, sources: [good, bad], streams: [], length: 40 })).rejects.toSatisfy(
      (error) => error instanceof PackedVectorTooShort && error.source === "bert" && error.message.includes("bert"),
    );
  });

  it("stops when it is told to", async () => {
    const streams = leftOf([0], 1);
    await expect(sumAll({ ring, sources: [], streams, length: 40, signal: AbortSignal.abort() })).rejects.toMatchObject({ name: "AbortError" });
  });

  it("passes on what a keystream throws, once all of its streams are done", async () => {
    let open = 0;
    const keystream: Keystream = {
      blockBytes: 64,
      open: () => ({
        async generate() {
          const mine = (open += 1);
          await new Promise((resolve) => setTimeout(resolve, mine));
          open -= 1;
          if (mine === 1) throw new Error("no cipher");
        },
      }),
    };
    const streams = masksOf(0, 4).map(streamOf);
    await expect(maskVector({ kernel, keystream, ring, vector: short, streams })).rejects.toThrow("no cipher");
    expect(open).toBe(0);
  });

  it("reads one tile, whatever the length, and lets others have the thread", async () => {
    let largest = 0;
    let turns = 0;
    let over = false;
    const source: PackedSource = {
      name: "big",
      read: (_offset, length) => {
        largest = Math.max(largest, length);
        return Promise.resolve(new Uint8Array(length));
      },
    };
    const count = (): void => {
      turns += 1;
      if (!over) setImmediate(count);
    };
    setImmediate(count);
    let tiles = 0;
    const streams = masksOf(0, 8).map(streamOf);
    for await (const { sum } of unmaskSum({
      kernel,
      keystream: nodeKeystream,
      ring,
      sources: [source],
      streams,
      length: 100_000,
      tileLength: 4096,
    })) {
      tiles += sum.length <= 4096 ? 1 : 0;
    }
    over = true;
    expect([largest, tiles]).toEqual([packedBytes(4096, ring), 25]);
    expect(turns).toBeGreaterThanOrEqual(25);
  });

  it("another kernel can be made of the compiled module, as workers do", async () => {
    const own = await instantiateMaskKernel(kernel.module);
    const [masks, vector] = [masksOf(1, 3).map(streamOf), Int8Array.from({ length: 40 }, (_, n) => n)];
    const packed = await maskVector({ kernel: own, keystream: nodeKeystream, ring, vector, streams: masks });
    expect(packed).toEqual(await maskVector({ kernel, keystream: nodeKeystream, ring, vector, streams: masks }));
  });

  it("wipes the memory that it lends", () => {
    const first = kernel.lend(1000, 3);
    new Uint8Array(first.buffer).fill(7);
    first[Symbol.dispose]();
    const again = kernel.lend(1000, 3);
    expect(again.buffer).toBe(first.buffer);
    expect(new Uint8Array(again.buffer).every((byte) => byte === 0)).toBe(true);
  });
});
