import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { philox4x32, randomStream } from "../random/index.ts";
import { type CoordinateVector, type EncodingSpec, encodeUpdate, loadAggregationKernel, vectorLayout } from "./index.ts";
import type { AggregationKernel } from "./kernel.ts";

let kernel: AggregationKernel;
beforeAll(async () => {
  kernel = await loadAggregationKernel();
});

const BITS = [8, 12, 16, 24, 31, 32];
const spec = (overrides: Partial<EncodingSpec> = {}): EncodingSpec => ({ range: 1, bits: 16, rounding: "nearest", maxWeight: 1, ...overrides });

function encode(
  delta: ArrayLike<number>,
  encoding: EncodingSpec,
  weight = encoding.maxWeight,
  seed = 1,
): { vector: CoordinateVector; saturated: number } {
  const random = randomStream(seed, "rounding");
  return encodeUpdate({ kernel, delta: Float32Array.from(delta), weight, metrics: {}, metricNames: [], encoding, random });
}

const parametersOf = (delta: ArrayLike<number>, encoding: EncodingSpec, weight?: number) => [
  ...encode(delta, encoding, weight).vector.subarray(0, delta.length),
];

/** Half to even on decimal digits of an exact integer quotient: numerator and denominator as BigInt, no float. */
function nearestEven(numerator: bigint, denominator: bigint): bigint {
  const negative = numerator < 0n;
  const magnitude = negative ? -numerator : numerator;
  const whole = magnitude / denominator;
  const twice = (magnitude % denominator) * 2n;
  const up = twice > denominator || (twice === denominator && whole % 2n === 1n);
  const rounded = up ? whole + 1n : whole;
  return negative ? -rounded : rounded;
}

/** Exact value of an f64 as an integer over 2^1074. */
function exact(value: number): bigint {
  let bits = 0;
  let scaled = value;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    bits += 1;
  }
  return BigInt(scaled) << BigInt(1074 - bits);
}

/** The documented formula in plain f64, its last step (rounding) in exact integers. */
function reference(value: number, { range, bits, maxWeight }: EncodingSpec, weight: number): { coordinate: number; clipped: boolean } {
  const levels = 2 ** (bits - 1) - 1;
  const x = Math.fround(value) * (weight / maxWeight);
  const clipped = Math.min(range, Math.max(-range, x));
  const rounded = Number(nearestEven(exact(clipped * (levels / range)), 1n << 1074n));
  return { coordinate: Math.min(levels, Math.max(-levels, rounded)), clipped: Math.abs(x) > range };
}

describe("encoding an update", () => {
  it("gives the integers worked out by hand", () => {
    // 8 bits: 127 levels of range 127, so one step is 1; half goes to the even neighbour.
    const encoding = spec({ bits: 8, range: 127 });
    expect(parametersOf([0, 1, -1, 0.5, 1.5, 2.5, -0.5, -1.5, 2.4999, 127, -127, 128, -1e30], encoding)).toEqual([
      0, 1, -1, 0, 2, 2, 0, -2, 2, 127, -127, 127, -127,
    ]);
    expect(encode([126.9, 127, 127.1, -127.1, 1e30], encoding).saturated).toBe(3);
  });

  it("weighs before it clips", () => {
    const encoding = spec({ bits: 8, range: 127, maxWeight: 4 });
    expect(parametersOf([200, -508, 10], encoding, 1)).toEqual([50, -127, 2]);
    expect(encode([200, -508, -509], encoding, 1).saturated).toBe(1);
    expect(parametersOf([5, -3, 7], encoding, 0)).toEqual([0, 0, 0]);
  });

  it("keeps its order of operations where another order would round to the next integer", () => {
    const encoding = spec({ bits: 32, maxWeight: 1000 });
    expect(parametersOf([0.4194374680519104], encoding, 391)).toEqual([352_187_426]);
    expect(parametersOf([0.945868730545044], encoding, 351)).toEqual([712_964_408]);
  });

  it("uses the narrowest type that holds the bits", () => {
    const types = [8, 9, 16, 17, 32].map((bits) => encode([1], spec({ bits })).vector.constructor);
    expect(types).toEqual([Int8Array, Int16Array, Int16Array, Int32Array, Int32Array]);
    expect(parametersOf([1, -1], spec({ bits: 32 }))).toEqual([2_147_483_647, -2_147_483_647]);
    expect(parametersOf([1, -1], spec({ bits: 31 }))).toEqual([1_073_741_823, -1_073_741_823]);
  });

  it.each(BITS)("agrees at %i bits with a scalar reference, coordinate by coordinate, at odd lengths", (bits) => {
    const values = fc.array(fc.oneof(fc.float({ noNaN: true, min: -4, max: 4 }), fc.constantFrom(0, -0, 1, -1, 2, 1e-45, 3e38, -3e38)), {
      minLength: 0,
      maxLength: 21,
    });
    fc.assert(
      fc.property(values, fc.constantFrom(1, 0.1, 3, 1e-6), fc.integer({ min: 0, max: 1000 }), (delta, range, weight) => {
        const encoding = spec({ bits, range, maxWeight: 1000 });
        const wanted = delta.map((value) => reference(value, encoding, weight));
        const { vector, saturated } = encode(delta, encoding, weight);
        expect([...vector.subarray(0, delta.length)]).toEqual(wanted.map(({ coordinate }) => coordinate + 0));
        expect(saturated).toBe(wanted.filter(({ clipped }) => clipped).length);
      }),
      { numRuns: 60 },
    );
  });

  it("does not notice the borders of its tiles", () => {
    const length = 2 * 16_384 + 3;
    const delta = Float32Array.from({ length }, (_, index) => ((index * 7919) % 2003) / 1000 - 1);
    const encoding = spec({ bits: 24 });
    const { vector, saturated } = encode(delta, encoding);
    expect(vector.subarray(0, length)).toEqual(Int32Array.from(delta, (value) => reference(value, encoding, 1).coordinate));
    expect(saturated).toBe(delta.filter((value) => Math.abs(value) > 1).length);
  });

  it.each([NaN, Infinity, -Infinity])("refuses a delta that holds %d and names its place", (value) => {
    for (const place of [0, 5, 16_383, 16_384, 16_390]) {
      const delta = new Float32Array(16_391);
      delta[place] = value;
      for (const rounding of ["nearest", "stochastic"] as const) {
        expect(() => encode(delta, spec({ rounding }))).toThrow(
          expect.objectContaining({ code: "UPDATE_REJECTED", message: `Coordinate ${place} of 16391 of the update is ${value}.` }),
        );
      }
    }
  });

  it.each([-1, 0.5, 101, NaN, Infinity])("refuses the weight %d of at most 100", (weight) => {
    expect(() => encode([0], spec({ maxWeight: 100 }), weight)).toThrow(expect.objectContaining({ code: "UPDATE_REJECTED" }));
  });

  it("takes weights up to the greatest that may be declared", () => {
    const maxWeight = 4_294_967_295;
    expect(parametersOf([1], spec({ bits: 32, maxWeight }), maxWeight)).toEqual([2_147_483_647]);
    expect(parametersOf([1, 1e9], spec({ bits: 32, maxWeight }), 1)).toEqual([0, Math.round((1e9 / maxWeight) * 2_147_483_647)]);
  });
});

describe("stochastic rounding", () => {
  it("draws word i of the documented Philox stream for coordinate i, across tiles", () => {
    const encoding = spec({ bits: 24, rounding: "stochastic" });
    const length = 16_384 + 7;
    const delta = Float32Array.from({ length }, (_, index) => ((index * 104_729) % 20_011) / 10_000 - 1);
    const { vector } = encode(delta, encoding, 1, 9);
    const names = randomStream(9, "rounding");
    const key = new Uint32Array([names.uint32(), names.uint32()]);
    const upper = [names.uint32(), names.uint32()] as const;
    const block = new Uint32Array(4);
    const wanted = new Int32Array(length);
    for (let i = 0; i < length; i += 1) {
      if (i % 4 === 0) philox4x32(key, new Uint32Array([i / 4, 0, ...upper]), block);
      const y = Math.min(1, Math.max(-1, delta[i]!)) * (2 ** 23 - 1);
      wanted[i] = Math.floor(y) + (block[i % 4]! / 2 ** 32 < y - Math.floor(y) ? 1 : 0);
    }
    expect(vector.subarray(0, length)).toEqual(wanted);
  });

  it("has the right mean, keeps whole numbers, and stays within the levels", () => {
    const encoding = spec({ bits: 8, range: 127, rounding: "stochastic" });
    const { vector } = encode(new Float32Array(40_000).fill(-2.25), encoding);
    const values = [...vector.subarray(0, 40_000)];
    expect(new Set(values)).toEqual(new Set([-3, -2]));
    // Standard error √(0.25 × 0.75 / 40000) = 0.0022; the seed is fixed.
    expect(Math.abs(values.reduce((sum, value) => sum + value, 0) / 40_000 + 2.25)).toBeLessThan(0.01);
    const edges = [127, -127, 3, 0, 500, -500];
    for (let seed = 0; seed < 50; seed += 1)
      expect([...encode(edges, encoding, 1, seed).vector.subarray(0, 6)]).toEqual([127, -127, 3, 0, 127, -127]);
  });

  it("stays within the levels at the edge for any range and all widths", () => {
    fc.assert(
      fc.property(fc.constantFrom(...BITS), fc.float({ min: Math.fround(1e-6), max: 1e6, noNaN: true }), fc.integer(), (bits, range, seed) => {
        const levels = 2 ** (bits - 1) - 1;
        const { vector } = encode([range, -range, range * 2], spec({ bits, range, rounding: "stochastic" }), 1, seed);
        for (const coordinate of vector.subarray(0, 3)) expect(levels - Math.abs(coordinate)).toBeOneOf([0, 1]);
      }),
      { numRuns: 100 },
    );
  });

  it("gives the same bits for the same stream, others for another, and needs one", () => {
    const encoding = spec({ rounding: "stochastic" });
    const delta = Float32Array.from({ length: 100 }, (_, index) => index / 333);
    expect(encode(delta, encoding, 1, 3)).toEqual(encode(delta, encoding, 1, 3));
    expect(encode(delta, encoding, 1, 3)).not.toEqual(encode(delta, encoding, 1, 4));
    expect(() => encodeUpdate({ kernel, delta, weight: 1, metrics: {}, metricNames: [], encoding })).toThrow(TypeError);
  });
});

describe("the vector", () => {
  it.each(BITS)("holds the extra coordinates after the parameters at %i bits, within the same levels", (bits) => {
    const encoding = spec({ bits, maxWeight: 2 ** 32 - 1 });
    const metricNames = ["loss", "correct"];
    const { vector, saturated } = encodeUpdate({
      kernel,
      delta: new Float32Array([5, 0, -9]),
      weight: 2 ** 32 - 1,
      metrics: { correct: 2 ** 32 - 1, loss: -(2 ** 32 - 0.001) },
      metricNames,
      encoding,
    });
    expect(vector).toHaveLength(vectorLayout(3, metricNames, encoding).length);
    expect(saturated).toBe(2);
    for (const coordinate of vector) expect(Math.abs(coordinate)).toBeLessThanOrEqual(2 ** (bits - 1) - 1);
  });
});
