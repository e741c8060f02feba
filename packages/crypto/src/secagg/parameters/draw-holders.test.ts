import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { drawHolders } from "./index.ts";

it("draws as many others as it should, each once, in order", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 300 }), fc.nat(), fc.nat(), (parties, self, some) => {
      const count = some % parties;
      const own = self % parties;
      const drawn = drawHolders(parties, own, count, randomBytes);
      expect(new Set(drawn).size).toBe(count);
      expect(drawn).not.toContain(own);
      expect(drawn.every((rank) => rank >= 0 && rank < parties)).toBe(true);
      expect(drawn).toEqual(drawn.toSorted((a, b) => a - b));
    }),
  );
});

it("draws every set equally often", () => {
  const counts = new Map<string, number>();
  const draws = 60_000;
  for (let i = 0; i < draws; i += 1) {
    const set = drawHolders(6, 2, 3, randomBytes).join();
    counts.set(set, (counts.get(set) ?? 0) + 1);
  }
  // 10 sets of 3 out of 5; chi-square with 9 degrees of freedom exceeds 50 once in ten million times.
  expect(counts.size).toBe(10);
  const expected = draws / 10;
  expect([...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)).toBeLessThan(50);
});

it("draws again what would make some more likely", () => {
  // 2^32 − 1 is the one number above the last multiple of 3.
  const drawn = [Uint8Array.of(255, 255, 255, 255), Uint8Array.of(0, 0, 0, 1)];
  expect(drawHolders(4, 3, 1, () => drawn.shift()!)).toEqual([1]);
});

it("refuses to draw more than there are", () => {
  expect(() => drawHolders(5, 0, 5, randomBytes)).toThrow("5 holders cannot be drawn from 4 others");
});
