import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binomial, log2Of } from "./exact.fixture.ts";
import { type Draw, log2AtLeast, log2AtMost } from "./hypergeometric.ts";

/** Ways to draw from `from` to `to` marked ones. */
function ways({ population, marked, drawn }: Draw, from: number, to: number): bigint {
  let sum = 0n;
  for (let i = Math.max(0, from); i <= Math.min(drawn, marked, to); i += 1) sum += binomial(marked, i) * binomial(population - marked, drawn - i);
  return sum;
}

function expectClose(tail: number, some: bigint, all: bigint, error: number): void {
  if (some === 0n) expect(tail).toBe(-Infinity);
  else expect(Math.abs(tail - (log2Of(some) - log2Of(all)))).toBeLessThan(error);
}

describe("both tails", () => {
  it("of every draw from up to twelve are those of whole numbers", () => {
    for (let population = 0; population <= 12; population += 1) {
      for (let marked = 0; marked <= population; marked += 1) {
        for (let drawn = 0; drawn <= population; drawn += 1) {
          const draw = { population, marked, drawn };
          const all = binomial(population, drawn);
          for (let count = -1; count <= drawn + 1; count += 1) {
            expectClose(log2AtLeast(draw, count), ways(draw, count, drawn), all, 1e-12);
            expectClose(log2AtMost(draw, count), ways(draw, 0, count), all, 1e-12);
          }
        }
      }
    }
  });

  it("of draws from up to 500 are those of whole numbers", () => {
    const draws = fc.integer({ min: 1, max: 500 }).chain((population) =>
      fc.record({
        population: fc.constant(population),
        marked: fc.nat(population),
        drawn: fc.nat(population),
      }),
    );
    fc.assert(
      fc.property(draws, fc.nat(500), (draw, some) => {
        const count = some % (draw.drawn + 1);
        const all = binomial(draw.population, draw.drawn);
        expectClose(log2AtLeast(draw, count), ways(draw, count, draw.drawn), all, 1e-10);
        expectClose(log2AtMost(draw, count), ways(draw, 0, count), all, 1e-10);
      }),
    );
  });

  it.each([
    [{ population: 65_535, marked: 6_553, drawn: 150 }, 75],
    [{ population: 65_535, marked: 21_845, drawn: 330 }, 240],
    [{ population: 60_000, marked: 20_000, drawn: 800 }, 790],
    [{ population: 60_000, marked: 50_000, drawn: 800 }, 100],
  ])("of %o at %d are those of whole numbers, one of them far below what may be", (draw, count) => {
    const all = binomial(draw.population, draw.drawn);
    expectClose(log2AtLeast(draw, count), ways(draw, count, draw.drawn), all, 2e-9);
    expectClose(log2AtMost(draw, count), ways(draw, 0, count), all, 2e-9);
    expect(Math.min(log2AtLeast(draw, count), log2AtMost(draw, count))).toBeLessThan(-40);
  });
});

it("goes below what doubles hold", () => {
  const draw = { population: 60_000, marked: 20_000, drawn: 800 };
  expect(log2AtLeast(draw, 790)).toBeLessThan(-1_074);
  expect(2 ** log2AtLeast(draw, 790)).toBe(0);
});

it("is certain or impossible where no other outcome is", () => {
  const draw = { population: 10, marked: 6, drawn: 7 };
  expect(log2AtLeast(draw, 3)).toBe(0);
  expect(log2AtMost(draw, 6)).toBe(0);
  expect(log2AtLeast(draw, 7)).toBe(-Infinity);
  expect(log2AtMost(draw, 2)).toBe(-Infinity);
});

it.each([
  { population: 10, marked: 11, drawn: 1 },
  { population: 10, marked: 1, drawn: 11 },
  { population: 10, marked: -1, drawn: 1 },
  { population: 10, marked: 1.5, drawn: 1 },
  { population: Number.NaN, marked: 0, drawn: 0 },
  { population: 2 ** 31, marked: 0, drawn: 0 },
])("refuses %o", (draw) => {
  expect(() => log2AtLeast(draw, 1)).toThrow(RangeError);
  expect(() => log2AtMost(draw, 1)).toThrow(RangeError);
});
