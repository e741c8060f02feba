import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomStream } from "../../random/index.ts";
import { driftBand, stabilityByChance, stabilityIndex } from "./stability-index.ts";

const counts = fc.array(fc.nat(200), { minLength: 4, maxLength: 4 }).filter((bins) => bins.some((bin) => bin > 0));

describe("the population stability index", () => {
  it("is the sum of differences times logarithms, worked out by hand for many rows", () => {
    // Shares 0.5, 0.3, 0.2 and 0.4, 0.3, 0.3: −0.1 ln 0.8 + 0.1 ln 1.5. Half a row a bin is nothing among ten million.
    const index = stabilityIndex([5e6, 3e6, 2e6], [4e6, 3e6, 3e6]);
    expect(index).toBeCloseTo(0.1 * Math.log(1.25) + 0.1 * Math.log(1.5), 6);
    expect(driftBand(index!)).toBe("none");
  });

  it("gives both sides half a row a bin, so that an empty one stays finite", () => {
    // Two bins: one row is added, three quarters of it to the first bin, as both sides' four rows lie.
    const [p, q] = [(2 + 0.75) / 3, (1 + 0.75) / 3];
    expect(stabilityIndex([2, 0], [1, 1])).toBeCloseTo((q - p) * Math.log(q / p) + (p - q) * Math.log((1 - q) / (1 - p)), 12);
    expect(stabilityIndex([2, 0, 0], [1, 1, 0])).toBe(stabilityIndex([2, 0], [1, 1]));
  });

  it("is 0 for equal shares of any number of rows, positive otherwise, the same both ways, and blind to the order of bins", () => {
    fc.assert(
      fc.property(counts, counts, fc.integer({ min: 1, max: 50 }), (then, now, times) => {
        expect(
          stabilityIndex(
            then,
            then.map((bin) => bin * times),
          ),
        ).toBeCloseTo(0, 12);
        const index = stabilityIndex(then, now)!;
        expect(index).toBeGreaterThanOrEqual(-1e-12);
        expect(stabilityIndex(now, then)).toBeCloseTo(index, 10);
        expect(stabilityIndex(then.toReversed(), now.toReversed())).toBeCloseTo(index, 10);
        expect(Number.isFinite(index)).toBe(true);
      }),
    );
  });

  it("is not known where one side has no rows", () => {
    expect(stabilityIndex([0, 0], [1, 2])).toBeUndefined();
    expect(stabilityIndex([1, 2], [0, 0])).toBeUndefined();
  });

  it("falls into the usual bands", () => {
    expect([0, 0.0999, 0.1, 0.25, 0.2501].map(driftBand)).toEqual(["none", "none", "some", "some", "large"]);
  });
});

describe("what chance alone gives", () => {
  it("follows χ², whose quantiles are in tables: 3.841, 7.815, 16.919, 24.996 for 1, 3, 9, 15 degrees of freedom", () => {
    for (const [freedom, quantile] of [
      [1, 3.841],
      [3, 7.815],
      [9, 16.919],
      [15, 24.996],
    ] as const) {
      const then = Array.from({ length: freedom + 1 }, () => 10);
      const rows = 10 * (freedom + 1);
      const found = stabilityByChance(then, then) / (2 / rows);
      expect(Math.abs(found - quantile) / quantile).toBeLessThan(freedom === 1 ? 0.03 : 0.01);
    }
    expect(stabilityByChance([5, 0], [7, 0])).toBe(0);
  });

  it("is stayed below by about 19 of 20 draws", () => {
    const stream = randomStream(3, "drift");
    const draw = (rows: number): number[] => {
      const bins = Array.from({ length: 8 }, () => 0);
      for (let row = 0; row < rows; row += 1) bins[Math.floor(stream.uniform() * 8)]! += 1;
      return bins;
    };
    const tries = 1_000;
    let below = 0;
    for (let one = 0; one < tries; one += 1) {
      const [then, now] = [draw(400), draw(120)];
      if (stabilityIndex(then, now)! < stabilityByChance(then, now)) below += 1;
    }
    expect(below / tries).toBeGreaterThan(0.92);
    expect(below / tries).toBeLessThan(0.98);
  });
});
