import fc from "fast-check";
import { randomBytes as nodeRandomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { add, inverse, multiply, PRIME, reduce } from "./field.ts";
import { lagrangeAtZero, recombine, splitSecret } from "./index.ts";

const randomBytes = (length: number) => Uint8Array.from(nodeRandomBytes(length));
const element = fc.oneof(fc.integer({ min: 0, max: PRIME - 1 }), fc.constantFrom(0, 1, 65_535, 65_536));

describe("GF(65,537)", () => {
  it("adds, multiplies and inverts as whole numbers modulo the prime do", () => {
    fc.assert(
      fc.property(element, element, (a, b) => {
        expect(add(a, b)).toBe((a + b) % PRIME);
        expect(multiply(a, b)).toBe(Number((BigInt(a) * BigInt(b)) % BigInt(PRIME)));
        if (a !== 0) expect(multiply(a, inverse(a))).toBe(1);
      }),
      { numRuns: 2_000 },
    );
  });

  it("reduces products with a sum on top", () => {
    for (const value of [0, 65_536, 65_537, 2 ** 32, 65_536 * 65_536 + 65_536, 65_535 * 65_536 + 65_536]) expect(reduce(value)).toBe(value % PRIME);
  });
});

describe("secret sharing", () => {
  it("puts points of a line through the secret, by hand", () => {
    // Limb 0x0201 = 513 with the coefficient 10 of x: 523 at x = 1, 533 at x = 2, 513 − 10 at x = 65,536 = −1.
    const drawn = Uint8Array.of(7, 0, 0, 10, 0, 0);
    const shares = splitSecret(Uint8Array.of(1, 2), 2, [0, 1, 65_535], () => drawn.slice());
    expect(shares).toEqual([Uint8Array.of(523 & 255, 2, 0), Uint8Array.of(533 & 255, 2, 0), Uint8Array.of(503 & 255, 1, 0)]);
    expect(lagrangeAtZero([0, 1])).toEqual(Uint32Array.of(2, PRIME - 1));
  });

  it("gives the secret back from any threshold of shares, in any order", () => {
    const holders = fc.uniqueArray(fc.integer({ min: 0, max: 65_535 }), { minLength: 1, maxLength: 20 });
    const secrets = fc.oneof(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.constantFrom(new Uint8Array(32), new Uint8Array(32).fill(255)));
    fc.assert(
      fc.property(holders, secrets, fc.nat(), fc.nat(), (places, secret, chosen, turn) => {
        const threshold = 1 + (chosen % places.length);
        const shares = splitSecret(secret, threshold, places, randomBytes).map((share, index) => ({ holder: places[index]!, share }));
        const some = Array.from({ length: threshold }, (_, index) => shares[(index * 1 + turn) % shares.length]!);
        expect(recombine(some)).toEqual(secret);
        expect(recombine(some.toReversed())).toEqual(secret);
        expect(recombine(shares)).toEqual(secret);
      }),
      { numRuns: 200 },
    );
  });

  it("says nothing with one share too few: with every possible coefficient a share takes every value once", () => {
    for (const secret of [0, 1, 65_535]) {
      const seen = new Uint8Array(PRIME);
      for (let slope = 0; slope < PRIME; slope += 1) {
        // 17 bits of three bytes; the first draw stands where the secret goes.
        const drawn = Uint8Array.of(0, 0, 0, slope & 255, (slope >> 8) & 255, slope >> 16);
        const [share] = splitSecret(Uint8Array.of(secret & 255, secret >> 8), 2, [40_000, 3], () => drawn);
        seen[share![0]! | (share![1]! << 8) | (share![2]! << 16)]! += 1;
        drawn.fill(0);
      }
      expect(seen.every((times) => times === 1)).toBe(true);
    }
  });

  it("draws coefficients of the whole field, and draws again what is beyond", () => {
    const drawn = [0, 0, 0, 1, 0, 1, 0, 0, 1];
    // 65,537 is refused; 65,536 = −1 is the slope: 5 − 1 at x = 1.
    expect(splitSecret(Uint8Array.of(5, 0), 2, [0, 1], () => Uint8Array.from(drawn))[0]).toEqual(Uint8Array.of(4, 0, 0));
  });

  it("gives something else with a wrong share, and notices a limb that none has", () => {
    const secret = new Uint8Array(32).fill(9);
    const shares = splitSecret(secret, 3, [5, 6, 7], randomBytes).map((share, index) => ({ holder: index + 5, share }));
    const wrong = shares.with(1, { ...shares[1]!, share: shares[1]!.share.with(0, shares[1]!.share[0]! ^ 1) });
    expect(recombine(wrong)).not.toEqual(secret);
    expect(recombine(shares.slice(1))).not.toEqual(secret);
    expect(recombine([{ holder: 3, share: Uint8Array.of(0, 0, 1) }])).toBeUndefined();
  });

  it("refuses what is no share and no set of holders", () => {
    const share = new Uint8Array(48);
    expect(() => recombine([])).toThrow(RangeError);
    expect(() => recombine([{ holder: 1, share: share.subarray(1) }])).toThrow("47 bytes");
    expect(() => recombine([{ holder: 1, share: Uint8Array.of(1, 0, 1) }])).toThrow("outside the field");
    expect(() => recombine([{ holder: 1, share: Uint8Array.of(0, 0, 128) }])).toThrow("outside the field");
    expect(() => recombine([share, share].map((one) => ({ holder: 1, share: one })))).toThrow("twice");
    expect(() =>
      recombine([
        { holder: 1, share },
        { holder: 2, share: share.subarray(3) },
      ]),
    ).toThrow("45 bytes");
    expect(() => splitSecret(new Uint8Array(3), 1, [1], randomBytes)).toThrow("3 bytes");
    expect(() => splitSecret(new Uint8Array(2), 3, [1, 2], randomBytes)).toThrow("threshold of 3");
    expect(() => splitSecret(new Uint8Array(2), 0, [1, 2], randomBytes)).toThrow("threshold of 0");
    expect(() => splitSecret(new Uint8Array(2), 1, [65_536], randomBytes)).toThrow("65536");
    expect(() => splitSecret(new Uint8Array(2), 1, [-1], randomBytes)).toThrow("-1");
  });
});
