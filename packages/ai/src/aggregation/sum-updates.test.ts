import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { randomStream } from "../random/index.ts";
import {
  type CoordinateDtype,
  type CoordinateVector,
  createAccumulator,
  decodeSum,
  encodeUpdate,
  encodeUpdateFile,
  type EncodingSpec,
  inspectUpdateFile,
  loadAggregationKernel,
  sumExtras,
  sumUpdates,
  type SumUpdatesOptions,
  updateFileSource,
  vectorLayout,
  vectorSource,
} from "./index.ts";
import type { AggregationKernel } from "./kernel.ts";

let kernel: AggregationKernel;
beforeAll(async () => {
  kernel = await loadAggregationKernel();
});

const ARRAYS = { I8: Int8Array, I16: Int16Array, I32: Int32Array };
const LOWEST = { I8: -128, I16: -32_768, I32: -2_147_483_648 };

/** Vectors of pseudo-random coordinates over the whole type, its extremes included. */
function makeVectors(dtype: CoordinateDtype, count: number, length: number, seed: number): CoordinateVector[] {
  const random = randomStream(seed, "vectors");
  const low = LOWEST[dtype];
  return Array.from({ length: count }, () => {
    const vector = new ARRAYS[dtype](length);
    for (let i = 0; i < length; i += 1) {
      const choice = random.below(8);
      vector[i] = choice === 0 ? low : choice === 1 ? -low - 1 : random.uint32();
    }
    return vector;
  });
}

/** The sum in plain arithmetic, exact below 2^53. */
function plainSum(vectors: readonly CoordinateVector[], length: number): bigint[] {
  return Array.from({ length }, (_, i) => BigInt(vectors.reduce((sum, vector) => sum + vector[i]!, 0)));
}

async function sumAll(options: Omit<SumUpdatesOptions, "kernel">): Promise<bigint[]> {
  const all: bigint[] = [];
  let next = options.start ?? 0;
  for await (const { offset, sum } of sumUpdates({ kernel, ...options })) {
    expect(offset).toBe(next);
    next += sum.length;
    all.push(...sum);
  }
  return all;
}

const sourcesOf = (vectors: readonly CoordinateVector[]) => vectors.map((vector, index) => vectorSource(`p${index}`, vector));

describe.each(["I8", "I16", "I32"] as const)("sums of %s", (dtype) => {
  it("equal plain arithmetic for any number of vectors, length, tile length and order, and an accumulator's", async () => {
    const run = fc.asyncProperty(
      fc.nat(13),
      fc.integer({ min: 1, max: 90 }),
      fc.integer({ min: 1, max: 100 }),
      fc.nat(),
      async (count, length, tileLength, seed) => {
        const vectors = makeVectors(dtype, count, length, seed);
        const wanted = plainSum(vectors, length);
        expect(await sumAll({ sources: sourcesOf(vectors), dtype, length, tileLength })).toEqual(wanted);
        const shuffled = randomStream(seed, "order").shuffle([...vectors]);
        expect(await sumAll({ sources: sourcesOf(shuffled), dtype, length })).toEqual(wanted);
        const accumulator = createAccumulator(kernel, length, dtype);
        for (const [index, vector] of shuffled.entries()) {
          accumulator.add(vector);
          // Looking at the sum in between must not disturb it.
          if (index === 2) expect([...accumulator.sum]).toEqual(plainSum(shuffled.slice(0, 3), length));
        }
        expect([...accumulator.sum]).toEqual(wanted);
      },
    );
    await fc.assert(run, { numRuns: 40 });
  });

  it("start anywhere", async () => {
    const vectors = makeVectors(dtype, 5, 100, 1);
    expect(await sumAll({ sources: sourcesOf(vectors), dtype, start: 37, length: 41, tileLength: 16 })).toEqual(plainSum(vectors, 100).slice(37, 78));
  });
});

describe("an accumulator", () => {
  it("adds workers' partial sums, from shared memory too, between and after vectors", () => {
    const length = 37;
    const vectors = makeVectors("I32", 11, length, 2);
    const workers = [vectors.slice(0, 3), vectors.slice(3, 8)].map((part) => {
      const worker = createAccumulator(kernel, length, "I32");
      for (const vector of part) worker.add(vector);
      const shared = new BigInt64Array(new SharedArrayBuffer(length * 8));
      shared.set(worker.sum);
      return shared;
    });
    const total = createAccumulator(kernel, length, "I32");
    total.add(vectors[8]!);
    total.addPartial(workers[0]!);
    total.add(vectors[9]!);
    total.addPartial(workers[1]!);
    total.add(vectors[10]!);
    expect([...total.sum]).toEqual(plainSum(vectors, length));
    total.add(vectors[0]!);
    total.reset();
    total.add(vectors[1]!);
    expect([...total.sum]).toEqual(plainSum([vectors[1]!], length));
  });

  it("keeps a copy of what it was given", () => {
    const accumulator = createAccumulator(kernel, 2, "I16");
    const vector = new Int16Array([1, 2]);
    accumulator.add(vector);
    vector.fill(99);
    expect([...accumulator.sum]).toEqual([1n, 2n]);
  });

  it("refuses vectors of another length or type", () => {
    const accumulator = createAccumulator(kernel, 3, "I16");
    expect(() => accumulator.add(new Int16Array(2))).toThrow(RangeError);
    expect(() => accumulator.add(new Int32Array(3))).toThrow(RangeError);
    expect(() => accumulator.addPartial(new BigInt64Array(4))).toThrow(RangeError);
  });
});

describe("summing", () => {
  it("refuses a source that ends too early, by name", async () => {
    const good = vectorSource("anna", new Int8Array(40));
    const short = { name: "bert", read: async (_offset: number, length: number) => new Uint8Array(length - 1) };
    await expect(sumAll({ sources: [good, short], dtype: "I8", length: 40 })).rejects.toMatchObject({
      code: "UPDATE_REJECTED",
      message: expect.stringContaining("bert") as string,
    });
  });

  it("stops when it is told to", async () => {
    const source = vectorSource("anna", new Int8Array(40));
    await expect(sumAll({ sources: [source], dtype: "I8", length: 40, signal: AbortSignal.abort() })).rejects.toMatchObject({ name: "AbortError" });
  });

  it("holds one tile, whatever the length", async () => {
    let largest = 0;
    const source = {
      name: "big",
      read: async (_offset: number, length: number) => {
        largest = Math.max(largest, length);
        return new Uint8Array(length);
      },
    };
    let tiles = 0;
    for await (const { sum } of sumUpdates({ kernel, sources: [source], dtype: "I32", length: 1_000_000, tileLength: 4096 }))
      tiles += sum.length <= 4096 ? 1 : 0;
    expect([largest, tiles]).toEqual([16_384, 245]);
  });
});

describe("a round of updates in files", () => {
  it.each([8, 12, 16, 24, 31, 32])(
    "has the weighted mean within the bound of %i bits, the exact totals, and one result for every order",
    async (bits) => {
      const folder = await mkdtemp(join(tmpdir(), "nexus-sum-"));
      try {
        const parameters = 1003;
        const metricNames = ["loss", "correct"];
        const encoding: EncodingSpec = { range: 1, bits, rounding: "nearest", maxWeight: 900 };
        const layout = vectorLayout(parameters, metricNames, encoding);
        const random = randomStream(bits, "parties");
        const parties = Array.from({ length: 7 }, (_, index) => ({
          weight: 1 + random.below(900),
          delta: Float32Array.from({ length: parameters }, () => random.uniform() * 2 - 1),
          metrics: { loss: index + 0.25, correct: index * 3 },
        }));
        const handles = await Promise.all(
          parties.map(async (party, index) => {
            const file = join(folder, `${index}.safetensors`);
            await writeFile(file, encodeUpdateFile(encodeUpdate({ kernel, encoding, metricNames, ...party }).vector));
            return open(file);
          }),
        );
        const read = async (handle: (typeof handles)[number], offset: number, length: number) => {
          const { buffer, bytesRead } = await handle.read(new Uint8Array(length), 0, length, offset);
          return buffer.subarray(0, bytesRead);
        };
        const sources = handles.map((handle, index) => updateFileSource(`p${index}`, layout, (offset, length) => read(handle, offset, length)));
        for (const handle of handles) inspectUpdateFile(await read(handle, 0, 200), (await handle.stat()).size, layout);

        const totals = await sumExtras({ kernel, sources, layout });
        const weight = parties.reduce((sum, party) => sum + party.weight, 0);
        expect(totals).toEqual({ weight, metrics: { loss: 22.75, correct: 63 }, saturated: 0 });
        const meansOf = async (order: typeof sources, tileLength: number) => {
          const means = new Float32Array(parameters);
          for await (const { offset, sum } of sumUpdates({ kernel, sources: order, dtype: layout.dtype, length: parameters, tileLength })) {
            decodeSum({ kernel, sum, weight, encoding, out: means.subarray(offset, offset + sum.length) });
          }
          return means;
        };
        const means = await meansOf(sources, 64);
        expect(await meansOf(sources.toReversed(), 1000)).toEqual(means);
        // Each party is off by half a step of its weighted change; the f32 result by half a unit in the last place.
        const bound = ((parties.length * 0.5) / (2 ** (bits - 1) - 1)) * (encoding.maxWeight / weight) + 2 ** -24;
        for (let i = 0; i < parameters; i += 1) {
          const wanted = parties.reduce((sum, party) => sum + party.weight * party.delta[i]!, 0) / weight;
          if (!(Math.abs(means[i]! - wanted) <= bound)) expect.fail(`Coordinate ${i} is ${means[i]}, the mean ${wanted}.`);
        }
        await Promise.all(handles.map((handle) => handle.close()));
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  );
});

describe("decodeSum", () => {
  it("is the documented formula, operation by operation, across tiles", () => {
    const encoding: EncodingSpec = { range: 0.3, bits: 24, rounding: "nearest", maxWeight: 77 };
    const length = 16_384 + 5;
    const random = randomStream(1, "sums");
    const values = Array.from({ length }, (_, index) =>
      index === 0 ? Number.MAX_SAFE_INTEGER : Math.trunc((random.uniform() - 0.5) * 2 ** random.below(54)) + 0,
    );
    const means = decodeSum({ kernel, sum: BigInt64Array.from(values, BigInt), weight: 1234, encoding });
    const step = 0.3 / (2 ** 23 - 1);
    expect(means).toEqual(Float32Array.from(values, (value) => (value * step * 77) / 1234));
  });

  it("keeps its order of operations where another order would round to the next f32", () => {
    const mean = (sum: bigint, range: number) =>
      decodeSum({ kernel, sum: new BigInt64Array([sum]), weight: 1, encoding: { range, bits: 8, rounding: "nearest", maxWeight: 3 } })[0];
    // Both lie at the middle between 1 and 1 + 2^−23; sum × (step × maxWeight) would fall on the other side.
    expect(mean(5n, 8.466667171319328)).toBe(1 + 2 ** -23);
    expect(mean(21n, 2.0158731360284112)).toBe(1);
  });

  it("gives a lone party's change back, to half a step", () => {
    const encoding: EncodingSpec = { range: 2, bits: 8, rounding: "nearest", maxWeight: 10 };
    // weight/maxWeight = 1/2: 1 → 0.5 → 31.75 steps of 2/127 → 32 → 32·(2/127)·10/5.
    const { vector } = encodeUpdate({ kernel, delta: new Float32Array([1]), weight: 5, metrics: {}, metricNames: [], encoding });
    expect(vector[0]).toBe(32);
    expect(decodeSum({ kernel, sum: new BigInt64Array([32n]), weight: 5, encoding })[0]).toBe(Math.fround(128 / 127));
  });

  it.each([0, -1, NaN])("refuses weights that add up to %d", (weight) => {
    const encoding: EncodingSpec = { range: 1, bits: 8, rounding: "nearest", maxWeight: 10 };
    expect(() => decodeSum({ kernel, sum: new BigInt64Array(1), weight, encoding })).toThrow(expect.objectContaining({ code: "UPDATE_REJECTED" }));
  });
});
