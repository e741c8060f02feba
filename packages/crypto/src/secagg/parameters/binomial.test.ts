import fc from "fast-check";
import { expect, it } from "vitest";
import { log2SuccessesAtLeast, type Trials } from "./binomial.ts";
import { binomial, log2Of } from "./exact.fixture.ts";

function exactly({ trials, numerator, denominator }: Trials, least: number): number {
  let ways = 0n;
  for (let i = Math.max(0, least); i <= trials; i += 1)
    ways += binomial(trials, i) * BigInt(numerator) ** BigInt(i) * BigInt(denominator - numerator) ** BigInt(trials - i);
  return log2Of(ways) - log2Of(BigInt(denominator) ** BigInt(trials));
}

it("gives the upper tail as whole numbers do", () => {
  const probabilities = fc
    .integer({ min: 2, max: 300 })
    .chain((denominator) => fc.tuple(fc.integer({ min: 1, max: denominator - 1 }), fc.constant(denominator)));
  fc.assert(
    fc.property(fc.nat(200), probabilities, fc.nat(202), (trials, [numerator, denominator], least) => {
      const some = { trials, numerator, denominator };
      if (least > trials) expect(log2SuccessesAtLeast(some, least)).toBe(-Infinity);
      else expect(Math.abs(log2SuccessesAtLeast(some, least) - exactly(some, least))).toBeLessThan(1e-10);
    }),
  );
});

it("gives it for a probability as small as that of being drawn", () => {
  const some = { trials: 1_000, numerator: 140, denominator: 65_535 };
  for (const least of [0, 2, 3, 60, 1_000]) expect(Math.abs(log2SuccessesAtLeast(some, least) - exactly(some, least))).toBeLessThan(2e-9);
});

it("refuses what is no probability between 0 and 1", () => {
  for (const numerator of [0, 3, -1, Number.NaN]) expect(() => log2SuccessesAtLeast({ trials: 3, numerator, denominator: 3 }, 1)).toThrow(RangeError);
});
