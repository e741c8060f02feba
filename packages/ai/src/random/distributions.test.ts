import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dirichlet, gamma, normal } from "./distributions.ts";
import { randomStream } from "./stream.ts";

function draws(count: number, draw: () => number): { values: number[]; mean: number; variance: number } {
  const values = Array.from({ length: count }, draw);
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  return { values, mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1) };
}

describe("normal", () => {
  it("has mean 0, variance 1 and the right share within one and two deviations", () => {
    const random = randomStream(1, "normal");
    const { values, mean, variance } = draws(40_000, () => normal(random));
    const within = (bound: number): number => values.filter((value) => Math.abs(value) < bound).length / values.length;
    // Four standard errors of each estimate.
    expect(Math.abs(mean)).toBeLessThan(0.02);
    expect(Math.abs(variance - 1)).toBeLessThan(0.03);
    expect(Math.abs(within(1) - 0.6827)).toBeLessThan(0.0094);
    expect(Math.abs(within(2) - 0.9545)).toBeLessThan(0.0042);
  });
});

describe("gamma", () => {
  it.each([0.05, 0.3, 0.9, 1, 2.5, 40])("has mean and variance %f for that shape", (shape) => {
    const random = randomStream(2, "gamma");
    const count = 20_000;
    const { mean, variance } = draws(count, () => gamma(random, shape));
    // Five standard errors; the fourth central moment of a gamma is 3a² + 6a.
    expect(Math.abs(mean - shape)).toBeLessThan(5 * Math.sqrt(shape / count));
    expect(Math.abs(variance - shape)).toBeLessThan(5 * Math.sqrt((2 * shape * shape + 6 * shape) / count));
  });

  it("is exponential for shape 1", () => {
    const random = randomStream(3, "exponential");
    const { values } = draws(20_000, () => gamma(random, 1));
    const above = values.filter((value) => value > 1).length / values.length;
    expect(Math.abs(above - 1 / Math.E)).toBeLessThan(0.0137);
  });

  it("refuses a shape that is none", () => {
    for (const shape of [0, -1, Number.NaN, Infinity]) expect(() => gamma(randomStream(1), shape)).toThrow(RangeError);
  });
});

describe("dirichlet", () => {
  it("sums to one and is never negative, down to the smallest alpha", () => {
    fc.assert(
      fc.property(fc.constantFrom(1e-300, 1e-9, 1e-3, 0.1, 0.3, 1, 10, 1e6), fc.integer({ min: 1, max: 50 }), fc.nat(), (alpha, size, seed) => {
        const parts = dirichlet(randomStream(seed), alpha, size);
        expect(parts.length).toBe(size);
        expect(parts.every((part) => part >= 0)).toBe(true);
        expect(Math.abs(parts.reduce((sum, part) => sum + part, 0) - 1)).toBeLessThan(1e-12);
      }),
      { numRuns: 100 },
    );
  });

  it("has each part's mean and variance", () => {
    const random = randomStream(4, "dirichlet");
    const [alpha, size, count] = [0.3, 5, 8_000];
    const points = Array.from({ length: count }, () => dirichlet(random, alpha, size));
    const variance = ((1 / size) * (1 - 1 / size)) / (alpha * size + 1);
    for (let part = 0; part < size; part += 1) {
      let at = 0;
      const estimate = draws(count, () => points[at++]![part]!);
      expect(Math.abs(estimate.mean - 1 / size)).toBeLessThan(5 * Math.sqrt(variance / count));
      expect(Math.abs(estimate.variance - variance)).toBeLessThan(0.1 * variance);
    }
  });

  it("refuses sizes and alphas that are none", () => {
    expect(() => dirichlet(randomStream(1), 0, 3)).toThrow(RangeError);
    expect(() => dirichlet(randomStream(1), 1, 0)).toThrow(RangeError);
  });
});

it("gives the numbers that it always gave", () => {
  const random = randomStream(42, "golden");
  expect([normal(random), gamma(random, 2.5), gamma(random, 0.3), ...dirichlet(random, 0.3, 4)]).toEqual(GOLDEN);
});

const GOLDEN = [
  -0.20527714388830004, 1.6207483806625649, 0.5166800730400294, 0.6988703431329547, 0.0016185909535648619, 0.131480272728314, 0.16803079318516645,
];
