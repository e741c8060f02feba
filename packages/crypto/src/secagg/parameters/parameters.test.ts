import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binomial } from "./exact.fixture.ts";
import { isSafe, log2Failures, MOST_COMPLETE, secAggParameters } from "./parameters.ts";

/** Points that are known to be safe against split views, with a tenth of the parties dropping out: parties, corruption, holders, threshold. */
const KNOWN = [
  [100, 0.1, 32, 22],
  [100, 1 / 3, 54, 44],
  [1_000, 0.1, 114, 78],
  [1_000, 1 / 3, 244, 189],
] as const;

/** Ways to draw `least` marked ones or more. */
function waysOf(population: number, marked: number, drawn: number, least: number): bigint {
  let ways = 0n;
  for (let i = Math.max(0, least); i <= Math.min(drawn, marked); i += 1) ways += binomial(marked, i) * binomial(population - marked, drawn - i);
  return ways;
}

describe("a complete graph", () => {
  it.each([
    [2, 2, 1],
    [3, 3, 2],
    [4, 3, 1],
    [10, 7, 3],
    [30, 21, 11],
    [50, 34, 17],
  ])("of %d parties gives a secret back for %d shares, and withstands %d who collude", (parties, threshold, corrupt) => {
    expect(secAggParameters(parties, { corruption: 1 / 3, dropout: 0 })).toEqual({
      ...{ graph: "complete", parties, holders: parties, threshold, corrupt, dropped: 0 },
      ...{ leastSurvivors: threshold, mostChosenBy: parties - 1 },
    });
  });

  it("says how many may collude and drop out, whatever is assumed", () => {
    const assumptions = fc.record({
      corruption: fc.double({ min: 0, max: 0.49, noNaN: true }),
      dropout: fc.double({ min: 0, max: 0.49, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.integer({ min: 2, max: MOST_COMPLETE }), assumptions, (parties, assumed) => {
        const { threshold, corrupt, dropped } = secAggParameters(parties, assumed);
        expect(2 * threshold).toBeGreaterThan(parties + corrupt);
        expect(2 * threshold).toBeLessThanOrEqual(parties + corrupt + 1);
        expect(corrupt).toBeLessThan(threshold);
        expect(corrupt).toBeGreaterThanOrEqual(Math.max(Math.floor(parties / 3), Math.floor(parties * assumed.corruption)));
        expect(parties - dropped).toBeGreaterThanOrEqual(threshold);
        expect(dropped).toBeLessThanOrEqual(parties * assumed.dropout + 1e-9);
      }),
    );
  });
});

describe("a sampled graph", () => {
  it.each(KNOWN)(
    "of %d parties of whom a fraction of %d colludes has %d holders and a threshold of %d",
    (parties, corruption, holders, threshold) => {
      expect(secAggParameters(parties, { corruption, dropout: 0.1 })).toMatchObject({ graph: "sampled", parties, holders, threshold });
    },
  );

  it.each(KNOWN)("of %d parties of whom a fraction of %d colludes is as safe as whole numbers say", (parties, corruption, holders, threshold) => {
    const assumptions = { corruption, dropout: 0.1 };
    const [corrupt, dropped] = [Math.floor(parties * corruption), Math.floor(parties * 0.1)];
    const all = binomial(parties - 1, holders);
    expect(BigInt(parties) * waysOf(parties - 1, corrupt, holders, 2 * threshold - holders) * 2n ** 40n <= all).toBe(true);
    expect(BigInt(parties) * waysOf(parties - 1, dropped, holders, holders - threshold + 1) * 2n ** 30n <= all).toBe(true);
    expect(isSafe({ parties, holders, threshold }, assumptions)).toBe(true);
    // One share less and a split view succeeds, or one more and too few answer: there is no other threshold for so few holders.
    expect(isSafe({ parties, holders, threshold: threshold - 1 }, assumptions)).toBe(false);
    expect(isSafe({ parties, holders, threshold: threshold + 1 }, assumptions)).toBe(false);
  });

  it("has as few holders as are safe, in steps of two, and the greatest threshold for them", () => {
    const cases = fc.record({
      parties: fc.integer({ min: MOST_COMPLETE + 1, max: 160 }),
      corruption: fc.double({ min: 0, max: 0.3, noNaN: true }),
      dropout: fc.double({ min: 0, max: 0.2, noNaN: true }),
    });
    fc.assert(
      fc.property(cases, ({ parties, ...assumptions }) => {
        const { holders, threshold } = secAggParameters(parties, assumptions);
        expect(isSafe({ parties, holders, threshold }, assumptions)).toBe(true);
        for (let fewer = 2; fewer < holders; fewer += 2) {
          for (let t = 1; t <= fewer; t += 1) expect(isSafe({ parties, holders: fewer, threshold: t }, assumptions)).toBe(false);
        }
        for (let t = threshold + 1; t <= holders; t += 1) expect(isSafe({ parties, holders, threshold: t }, assumptions)).toBe(false);
      }),
      { numRuns: 30 },
    );
  });

  it("has more holders than shares need where masks would fall apart", () => {
    const nobody = { corruption: 0, dropout: 0 };
    expect(log2Failures({ parties: 1_000, holders: 2, threshold: 2 }, nobody)).toMatchObject({ privacy: -Infinity, correctness: -Infinity });
    expect(log2Failures({ parties: 1_000, holders: 2, threshold: 2 }, nobody).connectivity).toBeGreaterThan(-40);
    expect(isSafe({ parties: 1_000, holders: 2, threshold: 2 }, nobody)).toBe(false);
    expect(secAggParameters(1_000, nobody).holders).toBe(4);
  });

  it("counts whole parties, whatever a fraction is stored as", () => {
    // 0.29 · 100 is 28.999… in doubles.
    expect(secAggParameters(100, { corruption: 0.29, dropout: 0.07 })).toMatchObject({ corrupt: 29, dropped: 7, leastSurvivors: 93 });
    expect(secAggParameters(99, { corruption: 1 / 3, dropout: 0.1 })).toMatchObject({ corrupt: 33, dropped: 9, leastSurvivors: 90 });
  });

  it("is refused by a party that more have drawn than chance allows", () => {
    const { holders, mostChosenBy } = secAggParameters(100, { corruption: 0.1, dropout: 0.1 });
    const drawnBy = (least: number) => {
      let ways = 0n;
      for (let i = least; i <= 99; i += 1) ways += binomial(99, i) * BigInt(holders) ** BigInt(i) * BigInt(99 - holders) ** BigInt(99 - i);
      return 100n * 2n ** 40n * ways;
    };
    expect(drawnBy(mostChosenBy + 1) <= 99n ** 99n).toBe(true);
    expect(drawnBy(mostChosenBy) > 99n ** 99n).toBe(true);
  });

  it("begins above fifty parties, and goes up to 65,536", () => {
    const third = { corruption: 1 / 3, dropout: 0.1 };
    expect(secAggParameters(50, third).graph).toBe("complete");
    expect(secAggParameters(51, third)).toMatchObject({ graph: "sampled", corrupt: 17, holders: 28, threshold: 23 });
    expect(secAggParameters(65_536, third)).toMatchObject({ holders: 400, threshold: 308, leastSurvivors: 58_983 });
    expect(secAggParameters(65_536, { corruption: 0.1, dropout: 0.1 })).toMatchObject({ holders: 156, threshold: 106 });
  });
});

describe("what cannot be protected is refused", () => {
  it.each([0, 1, 1.5, 65_537, Number.NaN])("%d parties", (parties) => {
    expect(() => secAggParameters(parties, { corruption: 0, dropout: 0 })).toThrow(`2 to 65536 parties, not ${parties}`);
  });

  it.each([-0.1, 0.5, Number.NaN])("a fraction of %d", (fraction) => {
    expect(() => secAggParameters(10, { corruption: fraction, dropout: 0 })).toThrow("The assumed corruption");
    expect(() => secAggParameters(10, { corruption: 0, dropout: fraction })).toThrow("The assumed dropout");
  });

  it("too many who collude or drop out", () => {
    expect(() => secAggParameters(100, { corruption: 0.45, dropout: 0.27 })).toThrow(
      "No threshold protects a sum among 100 parties of whom 45 may collude with the coordinator and 27 drop out: those who collude and twice those who drop out have to be fewer than 99.",
    );
    expect(() => secAggParameters(100, { corruption: 0.48, dropout: 0.25 })).toThrow("too few of them for a draw");
  });

  it.each([
    [0, 1],
    [100, 1],
    [10, 0],
    [10, 11],
    [10.5, 3],
  ])("a graph of %d holders and a threshold of %d", (holders, threshold) => {
    expect(() => isSafe({ parties: 100, holders, threshold }, { corruption: 0.1, dropout: 0.1 })).toThrow(RangeError);
  });
});
