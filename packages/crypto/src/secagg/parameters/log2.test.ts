import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binomial, log2Of } from "./exact.fixture.ts";
import { log2, log2Choose, log2Factorial } from "./log2.ts";

describe("log2", () => {
  it("is exact for powers of two", () => {
    for (let exponent = 0; exponent < 31; exponent += 1) expect(log2(2 ** exponent)).toBe(exponent);
  });

  it("is what the host gives, but for the last bits", () => {
    const numbers = fc.double({ min: 1, max: 2 ** 31 - 1, noNaN: true });
    fc.assert(fc.property(numbers, (value) => Math.abs(log2(value) - Math.log2(value)) <= 4e-15 * Math.max(1, Math.log2(value))));
  });

  it("goes on where the mantissa is halved", () => {
    for (const value of [1.4149999, 1.415, 1.4150000001, 1.999999999999]) expect(log2(value)).toBeCloseTo(Math.log2(value), 14);
  });
});

describe("a factorial", () => {
  it("is that of whole numbers, on both sides of where the series begins", () => {
    let factorial = 1n;
    for (let n = 0; n <= 2000; n += 1) {
      if (n > 0) factorial *= BigInt(n);
      expect(Math.abs(log2Factorial(n) - log2Of(factorial))).toBeLessThan(1e-11);
    }
  });

  it("grows by its next factor as far as parties go", () => {
    for (let n = 2; n <= 65_536; n += 61) expect(Math.abs(log2Factorial(n) - log2Factorial(n - 1) - Math.log2(n))).toBeLessThan(1e-9);
  });
});

describe("a binomial coefficient", () => {
  it("is that of whole numbers", () => {
    fc.assert(
      fc.property(fc.nat(400), fc.nat(400), (n, k) => {
        if (k > n) expect(log2Choose(n, k)).toBe(-Infinity);
        else expect(Math.abs(log2Choose(n, k) - log2Of(binomial(n, k)))).toBeLessThan(1e-11);
      }),
    );
  });

  it("is nothing for fewer than none", () => {
    expect(log2Choose(5, -1)).toBe(-Infinity);
  });
});
