import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MOST_COMPLETE, secAggParameters } from "./index.ts";

describe("a complete graph", () => {
  it.each([
    [2, 2],
    [3, 3],
    [4, 3],
    [10, 7],
    [20, 14],
    [50, 34],
  ])("of %d parties takes %d shares", (parties, threshold) => {
    const third = { corruption: 1 / 3, dropout: 0.1 };
    expect(secAggParameters(parties, third)).toMatchObject({ graph: "complete", holders: parties, threshold, leastSurvivors: threshold });
  });

  it("withstands split views of as many as are assumed, and a third at least", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: MOST_COMPLETE }), fc.double({ min: 0, max: 0.49, noNaN: true }), (parties, corruption) => {
        const { threshold, corrupt } = secAggParameters(parties, { corruption, dropout: 0 });
        expect(2 * threshold).toBeGreaterThan(parties + corrupt);
        expect(2 * threshold).toBeLessThanOrEqual(parties + corrupt + 1);
        expect(corrupt).toBeGreaterThanOrEqual(Math.max(Math.floor(parties * corruption), Math.floor(parties / 3)));
        expect(threshold).toBeLessThanOrEqual(parties);
      }),
    );
  });
});

describe("a sampled graph", () => {
  // Known points that are safe against split views.
  it.each([
    [100, 0.1, 32, 22],
    [100, 1 / 3, 54, 44],
    [1000, 0.1, 114, 78],
    [1000, 1 / 3, 244, 189],
  ])("of %d parties, a fraction of %d colluding, has %d holders and takes %d shares", (parties, corruption, holders, threshold) => {
    expect(secAggParameters(parties, { corruption, dropout: 0.1 })).toMatchObject({ graph: "sampled", holders, threshold });
  });

  it("begins where a complete one ends, and reaches to 65,536 parties", () => {
    const assumptions = { corruption: 0.1, dropout: 0.05 };
    expect(secAggParameters(50, assumptions).graph).toBe("complete");
    expect(secAggParameters(51, assumptions)).toMatchObject({ graph: "sampled", leastSurvivors: 49 });
    const most = secAggParameters(65_536, assumptions);
    expect(most.holders).toBeLessThan(200);
    expect(2 * most.threshold).toBeGreaterThan(most.holders);
    expect(most.mostChosenBy).toBeGreaterThan(most.holders);
    expect(most.mostChosenBy).toBeLessThan(2 * most.holders);
  });

  it("asks for more holders where more collude or drop out", () => {
    const holders = (corruption: number, dropout: number) => secAggParameters(400, { corruption, dropout }).holders;
    expect(holders(0.2, 0.1)).toBeGreaterThan(holders(0.1, 0.1));
    expect(holders(0.1, 0.2)).toBeGreaterThan(holders(0.1, 0.1));
  });
});

it("refuses what nothing protects", () => {
  expect(() => secAggParameters(1, { corruption: 0, dropout: 0 })).toThrow("2 to 65536 parties, not 1");
  expect(() => secAggParameters(65_537, { corruption: 0, dropout: 0 })).toThrow(RangeError);
  expect(() => secAggParameters(10, { corruption: 0.5, dropout: 0 })).toThrow("corruption");
  expect(() => secAggParameters(10, { corruption: 0, dropout: Number.NaN })).toThrow("dropout");
  expect(() => secAggParameters(100, { corruption: 0.45, dropout: 0.45 })).toThrow("No threshold");
});
