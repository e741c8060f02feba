import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { canonicalBytes, type CanonicalValue } from "./index.ts";

const toHex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Values whose identity `same` below can tell: NaN equals NaN, −0 differs from 0, bytes by content. */
const values = fc.letrec<{ value: CanonicalValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.string({ unit: "grapheme", maxLength: 4 }),
    fc.uint8Array({ maxLength: 4 }),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.constantFrom(0n, 1n),
    fc.double(),
    fc.constantFrom(0, -0, 1, Number.NaN),
    fc.constant(undefined),
    fc.array(tie("value"), { maxLength: 3 }),
  ),
})).value;

function same(a: CanonicalValue, b: CanonicalValue): boolean {
  if (a instanceof Uint8Array || b instanceof Uint8Array) {
    return a instanceof Uint8Array && b instanceof Uint8Array && a.length === b.length && a.every((byte, i) => byte === b[i]);
  }
  if (typeof a === "object" && typeof b === "object") return a.length === b.length && a.every((item, i) => same(item, b[i]));
  return Object.is(a, b);
}

describe("canonicalBytes", () => {
  it("has the documented layout", () => {
    const bytes = canonicalBytes("d", ["é", Uint8Array.of(7), 258n, -2, [undefined, []]]);
    expect(toHex(bytes)).toBe(
      [
        "01" + "00000001" + "64", // domain "d"
        "05" + "00000005", // five fields
        "01" + "00000002" + "c3a9",
        "02" + "00000001" + "07",
        "03" + "0000000000000102",
        "04" + "c000000000000000",
        "05" + "00000002" + "00" + "05" + "00000000",
      ].join(""),
    );
    expect(toHex(canonicalBytes("", [Number.NaN, -0]))).toBe("010000000005" + "00000002" + "047ff8000000000000" + "048000000000000000");
  });

  it("is injective", () => {
    const call = fc.tuple(fc.string({ unit: "grapheme", maxLength: 3 }), fc.array(values, { maxLength: 3 }));
    fc.assert(
      fc.property(call, call, ([domainA, fieldsA], [domainB, fieldsB]) => {
        const equalInput = domainA === domainB && same(fieldsA, fieldsB);
        expect(toHex(canonicalBytes(domainA, fieldsA)) === toHex(canonicalBytes(domainB, fieldsB))).toBe(equalInput);
      }),
      { numRuns: 500 },
    );
  });

  it("keeps what naive concatenation would confuse apart", () => {
    const confusable: [string, CanonicalValue[]][] = [
      ["a", ["b", "c"]],
      ["a", ["bc", ""]],
      ["ab", ["c"]],
      ["a", [["b", "c"]]],
      ["a", [["b"], "c"]],
      ["a", ["b", Uint8Array.of(99)]],
      ["a", [0]],
      ["a", [0n]],
      ["a", [-0]],
      ["a", [""]],
      ["a", [undefined]],
      ["a", [[]]],
      ["a", []],
    ];
    const encoded = confusable.map(([domain, fields]) => toHex(canonicalBytes(domain, fields)));
    expect(new Set(encoded).size).toBe(confusable.length);
    // No encoding is the beginning of another, so they can be streamed one after the other.
    for (const a of encoded) expect(encoded.filter((b) => b.startsWith(a))).toEqual([a]);
  });

  it("refuses what has no canonical form", () => {
    expect(() => canonicalBytes("d", ["\ud800"])).toThrow(RangeError);
    expect(() => canonicalBytes("\udc00", [])).toThrow(RangeError);
    expect(() => canonicalBytes("d", [-1n])).toThrow(RangeError);
    expect(() => canonicalBytes("d", [2n ** 64n])).toThrow(RangeError);
  });
});
