import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomStream } from "./stream.ts";

function words(count: number, seed: number, ...path: (string | number)[]): number[] {
  const random = randomStream(seed, ...path);
  return Array.from({ length: count }, () => random.uint32());
}

/** Pearson's statistic of counts against a uniform expectation. */
function chiSquare(counts: readonly number[], draws: number): number {
  const expected = draws / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

describe("randomStream", () => {
  it("gives the numbers that it always gave", () => {
    expect(words(6, 42, "shuffle", "hospital-1", 3)).toEqual(GOLDEN_WORDS);
    expect(randomStream(7, "golden").uniform()).toBe(GOLDEN_UNIFORM);
    expect([...randomStream(7, "golden").shuffle(Uint32Array.from({ length: 10 }, (_, i) => i))]).toEqual(GOLDEN_SHUFFLE);
  });

  it("tells paths, types of their parts and seeds apart", () => {
    const streams = [
      words(4, 1, "ab", "c"),
      words(4, 1, "a", "bc"),
      words(4, 1, "a", "b", "c"),
      words(4, 1, "1"),
      words(4, 1, 1),
      words(4, 2, 1),
      words(4, 1),
    ];
    expect(new Set(streams.map(String)).size).toBe(streams.length);
  });

  it("refuses numbers that name no stream and bounds without a draw", () => {
    expect(() => randomStream(Number.NaN)).toThrow(RangeError);
    expect(() => randomStream(1, 0.5)).toThrow(RangeError);
    expect(() => randomStream(1).below(0)).toThrow(RangeError);
    expect(() => randomStream(1).below(2 ** 32 + 1)).toThrow(RangeError);
  });

  it("draws below any bound", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 32 }), fc.nat(), (bound, seed) => {
        const random = randomStream(seed, "below");
        for (let i = 0; i < 20; i += 1) {
          const value = random.below(bound);
          if (!(Number.isInteger(value) && value >= 0 && value < bound)) return false;
        }
        return true;
      }),
      { numRuns: 50 },
    );
  });

  it("is unbiased where a plain modulo would not be", () => {
    // word % bound with bound = 3 · 2^30 gives the lowest third twice as often as the others.
    const random = randomStream(5, "modulo bias");
    const counts = [0, 0, 0];
    for (let i = 0; i < 30_000; i += 1) counts[Math.floor(random.below(3 * 2 ** 30) / 2 ** 30)]! += 1;
    // 99.99% quantile of χ² with 2 degrees of freedom.
    expect(chiSquare(counts, 30_000)).toBeLessThan(18.5);
  });

  it("shuffles without favouring any order", () => {
    const random = randomStream(9, "orders");
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i += 1) {
      const order = random.shuffle([0, 1, 2, 3]).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    // 99.99% quantile of χ² with 23 degrees of freedom.
    expect(chiSquare([...counts.values()], 24_000)).toBeLessThan(58.6);
  });

  it("keeps every item when it shuffles", () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), fc.nat(), (items, seed) => {
        const shuffled = randomStream(seed).shuffle([...items]);
        expect(shuffled.toSorted((a, b) => a - b)).toEqual(items.toSorted((a, b) => a - b));
      }),
      { numRuns: 50 },
    );
  });

  it("is uniform in [0, 1)", () => {
    const random = randomStream(11, "uniform");
    const counts = Array.from({ length: 20 }, () => 0);
    for (let i = 0; i < 20_000; i += 1) counts[Math.floor(random.uniform() * 20)]! += 1;
    // 99.99% quantile of χ² with 19 degrees of freedom.
    expect(chiSquare(counts, 20_000)).toBeLessThan(52.4);
  });
});

const GOLDEN_WORDS = [3285062667, 2470394712, 1016792983, 2806149512, 1626727959, 1359476332];
const GOLDEN_UNIFORM = 0.011467283026263986;
const GOLDEN_SHUFFLE = [0, 5, 2, 8, 9, 7, 3, 1, 4, 6];
