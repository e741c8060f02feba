import fc from "fast-check";
import { expect, it } from "vitest";
import { type Draw, log2AtLeast, log2Sum, logFactorials } from "./tails.ts";

it("gives the tails of the hypergeometric distribution as whole numbers do", () => {
  const sizes = fc.integer({ min: 1, max: 120 }).chain((population) =>
    fc.record({
      population: fc.constant(population),
      marked: fc.integer({ min: 0, max: population }),
      drawn: fc.integer({ min: 0, max: population }),
      least: fc.integer({ min: 0, max: population }),
    }),
  );
  fc.assert(
    fc.property(sizes, ({ least, ...draw }) => {
      const [ways, all] = exactly(draw, least);
      const tail = log2AtLeast(logFactorials(draw.population), draw, least);
      if (ways === 0n) expect(tail).toBe(-Infinity);
      else expect(tail).toBeCloseTo(log2(ways) - log2(all), 7);
    }),
  );
});

it("reaches far below what doubles hold", () => {
  const draw = { population: 60_000, marked: 20_000, drawn: 2_000 };
  const tail = log2AtLeast(logFactorials(draw.population), draw, 1_900);
  const [ways, all] = exactly(draw, 1_900);
  expect(tail).toBeLessThan(-1_074);
  expect(tail).toBeCloseTo(log2(ways) - log2(all), 5);
});

it("adds numbers by their logarithms", () => {
  expect(log2Sum([])).toBe(-Infinity);
  expect(log2Sum([-5_000, -5_000])).toBe(-4_999);
});

function exactly({ population, marked, drawn }: Draw, least: number): [bigint, bigint] {
  let ways = 0n;
  for (let i = least; i <= Math.min(drawn, marked); i += 1) ways += choose(marked, i) * choose(population - marked, drawn - i);
  return [ways, choose(population, drawn)];
}

function choose(n: number, k: number): bigint {
  if (k < 0 || k > n) return 0n;
  let result = 1n;
  for (let i = 1n; i <= BigInt(k); i += 1n) result = (result * (BigInt(n) - i + 1n)) / i;
  return result;
}

/** log2 of a positive whole number of any size. */
function log2(value: bigint): number {
  const bits = value.toString(2).length;
  return bits <= 1_000 ? Math.log2(Number(value)) : bits - 1_000 + Math.log2(Number(value >> BigInt(bits - 1_000)));
}
