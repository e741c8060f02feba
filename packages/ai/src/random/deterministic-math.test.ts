import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deterministicExp, deterministicLog } from "./deterministic-math.ts";

const bits = new DataView(new ArrayBuffer(8));

function toHex(x: number): string {
  bits.setFloat64(0, x);
  return bits.getBigUint64(0).toString(16).padStart(16, "0");
}

/** Distance of two finite numbers of the same sign in units of the last place. */
function ulps(a: number, b: number): number {
  if (a === b) return 0;
  const [x, y] = [a, b].map((value) => {
    bits.setFloat64(0, Math.abs(value));
    return bits.getBigUint64(0);
  }) as [bigint, bigint];
  return Math.sign(a) === Math.sign(b) ? Number(x > y ? x - y : y - x) : Infinity;
}

describe("deterministicExp", () => {
  it("is within 2 ulp of the host's, which is itself within 1 of the truth", () => {
    fc.assert(
      fc.property(fc.double({ min: -745, max: 709.7, noNaN: true }), (x) => ulps(deterministicExp(x), Math.exp(x)) <= 2),
      { numRuns: 5_000 },
    );
    fc.assert(
      fc.property(fc.double({ min: -1, max: 1, noNaN: true }), (x) => ulps(deterministicExp(x), Math.exp(x)) <= 2),
      { numRuns: 5_000 },
    );
  });

  it("knows its ends", () => {
    expect(deterministicExp(0)).toBe(1);
    expect(deterministicExp(-Infinity)).toBe(0);
    expect(deterministicExp(Infinity)).toBe(Infinity);
    expect(deterministicExp(Number.NaN)).toBeNaN();
    expect(deterministicExp(709.782712893384)).toBeLessThan(Infinity);
    expect(deterministicExp(709.7827128933841)).toBe(Infinity);
    expect(deterministicExp(-745.1332191019411)).toBe(Number.MIN_VALUE);
    expect(deterministicExp(-745.2)).toBe(0);
  });
});

describe("deterministicLog", () => {
  it("is within 2 ulp of the host's, which is itself within 1 of the truth", () => {
    fc.assert(
      fc.property(fc.double({ min: Number.MIN_VALUE, max: Number.MAX_VALUE, noNaN: true }), (x) => ulps(deterministicLog(x), Math.log(x)) <= 2),
      { numRuns: 5_000 },
    );
    fc.assert(
      fc.property(fc.double({ min: 0.5, max: 2, noNaN: true }), (x) => ulps(deterministicLog(x), Math.log(x)) <= 2),
      { numRuns: 5_000 },
    );
  });

  it("knows its ends", () => {
    expect(deterministicLog(1)).toBe(0);
    expect(deterministicLog(0)).toBe(-Infinity);
    expect(deterministicLog(-1)).toBeNaN();
    expect(deterministicLog(Number.NaN)).toBeNaN();
    expect(deterministicLog(Infinity)).toBe(Infinity);
    expect(deterministicLog(Number.MIN_VALUE)).toBe(-744.4400719213812);
  });
});

it("gives the bits that it always gave", () => {
  const exps = [-700.25, -1.5, -1e-9, 0.1, 1, 2.71, 333.333].map((x) => toHex(deterministicExp(x)));
  const logs = [1e-310, 1e-9, 0.3, 0.9999999, 1.0000001, 2, 123_456.789].map((x) => toHex(deterministicLog(x)));
  expect({ exps, logs }).toEqual(GOLDEN);
});

const GOLDEN = {
  exps: ["00caf5fe9a485c8e", "3fcc8f87724b5c1d", "3fefffffff768fa1", "3ff1aec7b35a00d4", "4005bf0a8b14576a", "402e0efd3345ed44", "5dfdd01be8e6211a"],
  logs: ["c0864e69394d9508", "c034b927f32bffb8", "bff34378fcbda721", "be7ad7f2b1049b9f", "3e7ad7f2847b6492", "3fe62e42fefa39ef", "40277281cad8a844"],
};
