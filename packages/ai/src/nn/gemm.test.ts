import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { randomStream } from "../random/index.ts";
import { type KernelMemory, kernelMemory } from "./test/kernel-memory.ts";

let memory: KernelMemory;
beforeAll(async () => {
  memory = await kernelMemory();
});

/**
 * C (+)= A·B in the promised order: from the start value over ascending k, each product rounded, then each sum. A sum of
 * two f32 rounded to f64 and then to f32 is the f32 sum, since 53 ≥ 2·24 + 2.
 */
function expected(a: (i: number, k: number) => number, b: Float32Array, start: Float32Array, m: number, n: number, k: number): Float32Array {
  const c = start.slice();
  for (let i = 0; i < m; i += 1) {
    for (let j = 0; j < n; j += 1) {
      let sum = start[i * n + j]!;
      for (let step = 0; step < k; step += 1) sum = Math.fround(sum + Math.fround(a(i, step) * b[step * n + j]!));
      c[i * n + j] = sum;
    }
  }
  return c;
}

function transposed(x: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from({ length: x.length }, (_, i) => x[(i % rows) * columns + Math.floor(i / rows)]!);
}

/** Runs a product in each of the three layouts that layers use and expects the bits of the plain loop. */
function expectSameBits(m: number, n: number, k: number, a: Float32Array, b: Float32Array, start: Float32Array | undefined): void {
  const { run, put, room, get } = memory;
  const scratch = room(run.gemmScratchBytes() / 4);
  const panels = room(k * Math.ceil(n / 8) * 8);
  const zeros = new Float32Array(m * n);
  const want = expected((i, step) => a[i * k + step]!, b, start ?? zeros, m, n, k);
  const target = () => (start === undefined ? room(m * n) : put(start));
  const accumulate = start === undefined ? 0 : 1;

  let finite = run.packPanels(put(b), panels, k, n);
  expect(finite).toBe(b.every(Number.isFinite) ? 1 : 0);
  let c = target();
  run.gemmRows(put(a), panels, c, m, n, k, accumulate, finite, scratch);
  expect(get(c, m * n)).toEqual(want);
  c = target();
  run.gemmColumns(put(transposed(a, m, k)), panels, c, m, n, k, accumulate, finite, scratch);
  expect(get(c, m * n)).toEqual(want);

  finite = run.packPanelsTransposed(put(transposed(b, k, n)), panels, k, n);
  expect(finite).toBe(b.every(Number.isFinite) ? 1 : 0);
  c = target();
  run.gemmRows(put(a), panels, c, m, n, k, accumulate, finite, scratch);
  expect(get(c, m * n)).toEqual(want);
}

function numbers(seed: number, name: string, length: number, zeros: number): Float32Array {
  const random = randomStream(seed, name);
  return Float32Array.from({ length }, () => (random.uniform() < zeros ? 0 : (random.uniform() * 2 - 1) * 10 ** random.below(4)));
}

describe("matrix products", () => {
  it("have the bits of the plain loop for any size, with and without zeros", async () => {
    const size = (max: number) => fc.integer({ min: 1, max });
    await fc.assert(
      fc.asyncProperty(size(21), size(27), size(40), fc.constantFrom(0, 0.5, 0.95), fc.boolean(), fc.nat(1e6), async (m, n, k, zeros, adds, seed) => {
        memory = await kernelMemory();
        const start = adds ? numbers(seed, "c", m * n, 0) : undefined;
        expectSameBits(m, n, k, numbers(seed, "a", m * k, zeros), numbers(seed, "b", k * n, 0.1), start);
      }),
      { numRuns: 60 },
    );
  });

  it("have them where k and m span several blocks", () => {
    expectSameBits(33, 17, 513, numbers(1, "a", 33 * 513, 0.8), numbers(1, "b", 513 * 17, 0), undefined);
    expectSameBits(270, 9, 5, numbers(2, "a", 270 * 5, 0.3), numbers(2, "b", 5 * 9, 0), numbers(2, "c", 270 * 9, 0));
    expectSameBits(1030, 8, 1, numbers(3, "a", 1030, 0.3), numbers(3, "b", 8, 0), undefined);
  });

  it("do not lose a NaN or an infinity behind a zero", () => {
    for (const value of [NaN, Infinity, -Infinity]) {
      for (const at of [0, 7, 8, 10, 11, 43]) {
        const b = numbers(4, "b", 44, 0);
        b[at] = value;
        expectSameBits(5, 11, 4, numbers(4, "a", 20, 1), b, undefined);
      }
    }
    const a = numbers(5, "a", 20, 1);
    a[6] = NaN;
    expectSameBits(5, 11, 4, a, numbers(5, "b", 44, 0), undefined);
  });
});

/** A·B for one row and one column, through the layout that a dense layer's forward pass uses. */
function dot({ run, put, get, room }: KernelMemory, a: readonly number[], b: readonly number[], start = 0): number {
  const panels = room(8 * b.length);
  const finite = run.packPanels(put(b), panels, b.length, 1);
  const c = put([start]);
  run.gemmRows(put(a), panels, c, 1, 1, a.length, 1, finite, room(run.gemmScratchBytes() / 4));
  return get(c, 1)[0]!;
}

describe("a product with an addition", () => {
  // (1 + 2⁻¹²)² is 1 + 2⁻¹¹ + 2⁻²⁴, halfway between two f32, and rounds to the even one below.
  const factor = 1 + 2 ** -12;

  it("is rounded in between by the baseline", () => {
    expect(dot(memory, [factor], [factor], -(1 + 2 ** -11))).toBe(0);
  });

  it("is rounded in between by the build fma as its host likes, and is as near to the real sum", async () => {
    const fused = await kernelMemory("fma");
    expect([0, 2 ** -24]).toContain(dot(fused, [factor], [factor], -(1 + 2 ** -11)));
    const [a, b] = [numbers(7, "a", 513, 0.3), numbers(7, "b", 513, 0.1)];
    const real = a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    const size = a.reduce((sum, value, i) => sum + Math.abs(value * b[i]!), 0);
    expect(Math.abs(dot(fused, [...a], [...b]) - real)).toBeLessThan(size * 513 * 2 ** -24);
    expect(dot(fused, [0, 1], [NaN, 1])).toBeNaN();
  });
});

describe("rows", () => {
  it("begin as the bias, never as -0, and sum up column by column in order", () => {
    const { run, put, room, get } = memory;
    const to = room(15);
    run.addBiasRows(put([1, -0, 3, 4, 5]), to, 3, 5);
    expect(get(to, 15)).toEqual(Float32Array.from([1, 0, 3, 4, 5, 1, 0, 3, 4, 5, 1, 0, 3, 4, 5]));
    const x = numbers(6, "x", 7 * 6, 0);
    const sums = room(6);
    run.columnSums(put(x), sums, 7, 6);
    const want = new Float32Array(6);
    for (let row = 0; row < 7; row += 1) for (let j = 0; j < 6; j += 1) want[j] = want[j]! + x[row * 6 + j]!;
    expect(get(sums, 6)).toEqual(want);
  });
});
