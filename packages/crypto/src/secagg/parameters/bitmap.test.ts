import fc from "fast-check";
import { expect, it } from "vitest";
import { bitmapOf, placesOf } from "./index.ts";

it("has one form for each set, and gives it back", () => {
  expect(bitmapOf(10, [0, 9, 3])).toEqual(Uint8Array.of(0b1001, 0b10));
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 200 }), fc.array(fc.nat()), (size, some) => {
      const places = size === 0 ? [] : [...new Set(some.map((place) => place % size))].toSorted((a, b) => a - b);
      expect(placesOf(bitmapOf(size, places), size)).toEqual(places);
    }),
  );
});

it("refuses bits beyond the list and another length", () => {
  expect(() => placesOf(Uint8Array.of(0, 0b100), 10)).toThrow("place 10");
  expect(() => placesOf(Uint8Array.of(0), 10)).toThrow("2 bytes, not 1");
  expect(() => bitmapOf(10, [10])).toThrow("no place 10");
  expect(() => bitmapOf(10, [-1])).toThrow("no place -1");
});
