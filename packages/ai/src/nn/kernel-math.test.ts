import { beforeAll, describe, expect, it } from "vitest";
import type { Address } from "./kernel-exports.ts";
import { type KernelMemory, kernelMemory } from "./test/kernel-memory.ts";

let memory: KernelMemory;
beforeAll(async () => {
  memory = await kernelMemory();
});

/** Distance of an f32 from an exact value, in units of the last place of the exact value's f32. */
function ulps(got: number, exact: number): number {
  if (got === exact) return 0;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(exact))), -126);
  return Math.abs(got - exact) / 2 ** (exponent - 23);
}

/** The largest distance over `count` arguments from `from` to `to`, evenly spread or, with `ratio`, by a constant factor. */
function worstUlps(kernel: (from: Address, to: Address, count: number) => void, exact: (x: number) => number, arguments_: Float32Array): number {
  const to = memory.room(arguments_.length);
  kernel(memory.put(arguments_), to, arguments_.length);
  const got = memory.get(to, arguments_.length);
  return arguments_.reduce((worst, x, i) => Math.max(worst, ulps(got[i]!, exact(x))), 0);
}

const COUNT = 200_000;
const spread = (from: number, to: number) => Float32Array.from({ length: COUNT }, (_, i) => from + ((to - from) * i) / (COUNT - 1));
const byFactor = (from: number, to: number) => Float32Array.from({ length: COUNT }, (_, i) => from * (to / from) ** (i / (COUNT - 1)));

/** f(x) of single values, without rounding the arguments twice. */
function values(kernel: (from: Address, to: Address, count: number) => void, xs: number[]): number[] {
  const to = memory.room(xs.length);
  kernel(memory.put(xs), to, xs.length);
  return Array.from(memory.get(to, xs.length));
}

describe("exp", () => {
  it("is within 1 ulp over its whole range, subnormal results included", () => {
    expect(worstUlps(memory.run.exp, Math.exp, spread(-103.9, 88.72))).toBeLessThan(1);
    expect(worstUlps(memory.run.exp, Math.exp, spread(-1, 1))).toBeLessThan(1);
  });

  it("keeps to the rules at the edges", () => {
    expect(values(memory.run.exp, [0, -0, 88.75, 1e9, Infinity, -104.5, -1e9, -Infinity, NaN])).toEqual([
      1,
      1,
      Infinity,
      Infinity,
      Infinity,
      0,
      0,
      0,
      NaN,
    ]);
  });
});

describe("log", () => {
  it("is within 1 ulp from the smallest subnormal to the largest number, and around 1", () => {
    expect(worstUlps(memory.run.log, Math.log, byFactor(1.5e-45, 3.4e38))).toBeLessThan(1);
    expect(worstUlps(memory.run.log, Math.log, spread(0.7, 1.5))).toBeLessThan(1);
  });

  it("keeps to the rules at the edges", () => {
    expect(values(memory.run.log, [1, 0, -0, Infinity, -1, -Infinity, NaN])).toEqual([0, -Infinity, -Infinity, Infinity, NaN, NaN, NaN]);
  });
});

describe("tanh and sigmoid", () => {
  it("are within 3 ulps, and saturate", () => {
    expect(worstUlps(memory.run.tanh, Math.tanh, spread(-10, 10))).toBeLessThan(3);
    expect(worstUlps(memory.run.tanh, Math.tanh, byFactor(1e-30, 1))).toBeLessThan(3);
    expect(worstUlps(memory.run.sigmoid, (x) => 1 / (1 + Math.exp(-x)), spread(-80, 30))).toBeLessThan(3);
    expect(values(memory.run.tanh, [100, -100, Infinity, -Infinity, 0, NaN])).toEqual([1, -1, 1, -1, 0, NaN]);
    expect(values(memory.run.sigmoid, [200, -200, 0, NaN])).toEqual([1, 0, 0.5, NaN]);
  });

  it("have the derivatives of their outputs", () => {
    const y = [0.25, -0.5, 0, 1, 0.75];
    const dy = [1, 2, 3, 4, -1];
    const dx = memory.room(5);
    memory.run.tanhBackward(memory.put(y), memory.put(dy), dx, 5);
    expect(Array.from(memory.get(dx, 5))).toEqual([0.9375, 1.5, 3, 0, -0.4375]);
    memory.run.sigmoidBackward(memory.put(y), memory.put(dy), dx, 5);
    expect(Array.from(memory.get(dx, 5))).toEqual([0.1875, -1.5, 0, 0, -0.1875]);
  });
});

describe("relu", () => {
  it("keeps what is above 0 and lets NaN be seen", () => {
    expect(values(memory.run.relu, [3, -3, 0, NaN, Infinity, -Infinity])).toEqual([3, 0, 0, NaN, Infinity, 0]);
    const dx = memory.room(3);
    memory.run.reluBackward(memory.put([2, 0, 5]), memory.put([7, 8, -9]), dx, 3);
    expect(Array.from(memory.get(dx, 3))).toEqual([7, 0, -9]);
  });
});

describe("sum16", () => {
  it("adds 16 strided partial sums by a halving tree", () => {
    for (const count of [1, 3, 15, 16, 17, 40, 1000]) {
      const numbers = Float32Array.from({ length: count }, (_, i) => Math.fround(Math.sin(i + 1) * 10 ** (i % 7)));
      let partial = new Float32Array(16);
      numbers.forEach((x, i) => (partial[i % 16] = partial[i % 16]! + x));
      while (partial.length > 1) {
        const half = partial.length / 2;
        partial = Float32Array.from({ length: half }, (_, j) => partial[j]! + partial[j + half]!);
      }
      expect(memory.run.sum16(memory.put(numbers), count)).toBe(partial[0]);
    }
  });
});

describe("bytesToFloats", () => {
  it("scales every byte in f32", () => {
    const bytes = Uint8Array.from({ length: 259 }, (_, i) => i % 256);
    const to = memory.room(272);
    memory.run.bytesToFloats(memory.bytes(bytes), to, bytes.length, 1 / 255);
    expect(memory.get(to, bytes.length)).toEqual(Float32Array.from(bytes, (byte) => byte * Math.fround(1 / 255)));
  });
});
