import fc from "fast-check";
import { expect, it } from "vitest";
import { byteCount, contentRange, rangeStart } from "./resumption-headers.ts";

it("reads RFC 9110's examples as far as it knows their form", () => {
  expect(contentRange("bytes 42-1233/1234")).toEqual({ from: 42, sizeBytes: 1234 });
  for (const other of ["bytes 42-1233/*", "bytes */1234", "bytes 0-499/1234", "bytes 500-42/501", "rows 42-1233/1234", undefined, ""]) {
    expect([other, contentRange(other)]).toEqual([other, undefined]);
  }
  expect(rangeStart("bytes=9500-")).toBe(9500);
  for (const other of ["bytes=0-499", "bytes=-500", "bytes=0-0,-1", "bytes= 0-999", "bytes=", undefined]) {
    expect([other, rangeStart(other)]).toEqual([other, undefined]);
  }
});

it("reads digits, and nothing else", () => {
  fc.assert(fc.property(fc.maxSafeNat(), (count) => byteCount(String(count)) === count && rangeStart(`bytes=${count}-`) === count));
  fc.assert(fc.property(fc.string(), (text) => byteCount(text) === undefined || /^[0-9]{1,16}$/.test(text)));
  for (const other of ["9007199254740992", "1".repeat(17), "-1", "1.0", "1e3", " 1", "٣", ["1", "2"]])
    expect([other, byteCount(other)]).toEqual([other, undefined]);
});
