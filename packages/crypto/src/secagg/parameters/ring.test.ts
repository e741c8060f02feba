import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packedBytes, ringFor } from "./index.ts";

describe("ringFor", () => {
  it.each([
    [1, 1, 2, 2],
    [127, 1, 8, 2],
    [127, 2, 9, 2],
    [2 ** 15 - 1, 1, 16, 2],
    [2 ** 15 - 1, 2, 17, 4],
    [2 ** 15 - 1, 100, 23, 4],
    [2 ** 31 - 1, 1, 32, 4],
    [2 ** 31 - 1, 2, 33, 8],
    [2 ** 31 - 1, 65_536, 48, 8],
    [2 ** 52 - 1, 1, 53, 8],
  ])("most %d, %d parties: %d bits in words of %d bytes", (most, parties, bits, wordBytes) => {
    expect(ringFor(most, parties)).toEqual({ bits, wordBytes });
  });

  it("is the smallest one in which nothing wraps around", () => {
    const positive = fc.bigInt({ min: 1n, max: 2n ** 32n }).map(Number);
    fc.assert(
      fc.property(positive, fc.integer({ min: 1, max: 65_536 }), (most, parties) => {
        const { bits, wordBytes } = ringFor(most, parties);
        const highest = BigInt(most) * BigInt(parties);
        expect(highest).toBeLessThanOrEqual(2n ** BigInt(bits - 1) - 1n);
        expect(highest).toBeGreaterThan(2n ** BigInt(bits - 2) - 1n);
        expect(bits).toBeLessThanOrEqual(wordBytes * 8);
      }),
    );
  });

  it.each([
    [2 ** 52, 1],
    [2 ** 31 - 1, 2 ** 22],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    [0, 1],
    [1, 0],
    [1.5, 1],
    [1, Number.NaN],
  ])("refuses most %d of %d parties", (most, parties) => {
    expect(() => ringFor(most, parties)).toThrow(RangeError);
  });
});

it("packedBytes counts a byte that has begun", () => {
  expect([0, 1, 7, 8, 9].map((length) => packedBytes(length, { bits: 23 }))).toEqual([0, 3, 21, 23, 26]);
});
