import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { canonicalJson, editDistance, findMistakes, formatPath, hashDocument, nearest, parseDocumentWith, readDocument } from "./index.ts";

describe("canonicalJson", () => {
  // RFC 8785, section 3.2.3: keys sorted by UTF-16 code unit.
  it("sorts keys as RFC 8785 does", () => {
    const value = {
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew",
      "1": "One",
      "\u{1f600}": "Emoji",
      "\u0080": "Control",
      "\u00f6": "o umlaut",
    };
    const keys = [...canonicalJson(value).matchAll(/"([^"]+)":/g)].map(([, key]) => JSON.parse(`"${key}"`));
    expect(keys).toEqual(["\r", "1", "\u0080", "\u00f6", "\u20ac", "\u{1f600}", "\ufb33"]);
  });

  it("has one spelling for one value, and is read back as that value", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("leaves absent members out and refuses what JSON cannot say", () => {
    expect(canonicalJson({ b: undefined, a: 1 })).toBe('{"a":1}');
    expect(() => canonicalJson({ a: Number.NaN })).toThrow(TypeError);
    expect(() => canonicalJson(() => {})).toThrow(TypeError);
  });

  it("hashes under a domain, so that a spec never hashes like a plan", () => {
    expect(hashDocument("a", { x: 1 })).not.toBe(hashDocument("b", { x: 1 }));
  });
});

describe("nearest", () => {
  it("counts insertions, deletions, replacements and swaps of neighbours as one", () => {
    expect(editDistance("kitten", "sitting")).toBe(3);
    expect(editDistance("rnu", "run")).toBe(1);
    expect(editDistance("", "abc")).toBe(3);
  });

  it("is symmetric, zero for equal words alone, and keeps the triangle's inequality for what it counts", () => {
    const word = fc.stringMatching(/^[a-d]{0,6}$/);
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });

  it("guesses what is close and nothing else", () => {
    expect(nearest("lerningRate", ["learningRate", "momentum"])).toBe("learningRate");
    expect(nearest("xyz", ["learningRate", "momentum"])).toBeUndefined();
  });
});

describe("mistakes of a document", () => {
  const schema = z.strictObject({
    size: z.union([z.literal("all"), z.int().min(1)]),
    kind: z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("one"), first: z.number() }),
      z.strictObject({ kind: z.literal("two"), names: z.array(z.string()) }),
    ]),
    mode: z.enum(["exact", "loose"]).default("exact"),
  });
  const good = { size: 3, kind: { kind: "one", first: 1 } };

  it.each([
    [{ ...good, sise: 1 }, "sise", 'Did you mean "size"?'],
    [{ ...good, size: "al" }, "size", 'Did you mean "all"? Allowed: "all" or a whole number from 1.'],
    [{ kind: good.kind }, "size", 'Add it: "all" or a whole number from 1.'],
    [{ ...good, kind: { kind: "one", frist: 1, first: 1 } }, "kind.frist", 'Did you mean "first"?'],
    [{ ...good, kind: { kind: "one", names: [], first: 1 } }, "kind.names", "Known keys here: kind, first."],
    [{ ...good, mode: "exat" }, "mode", 'Did you mean "exact"? Allowed: "exact" or "loose".'],
    [{ ...good, kind: { kind: "two", names: [1] } }, "kind.names[0]", "Allowed: text."],
  ])("%j", (document, path, remedy) => {
    expect(findMistakes(schema, document)).toEqual([expect.objectContaining({ path, remedy })]);
  });

  it("are thrown all at once, and a good document is filled in", () => {
    expect(() => parseDocumentWith(schema, { size: 0 }, "x.yaml")).toThrow(
      expect.objectContaining({ code: "SPEC_INVALID", message: expect.stringMatching(/^x\.yaml is not valid:\n {2}size: .*\n {2}kind: /) }),
    );
    expect(parseDocumentWith(schema, good)).toEqual({ ...good, mode: "exact" });
  });

  it("are placed as people write paths", () => {
    expect(formatPath(["a", 0, "b", 2])).toBe("a[0].b[2]");
  });
});

describe("readDocument", () => {
  it("reads YAML and JSON alike", () => {
    expect(readDocument("a: [1, two]\n")).toEqual(readDocument('{"a": [1, "two"]}'));
  });

  it("names line and column of what it cannot read", () => {
    expect(() => readDocument("a: 1\nb: [", "run.yaml")).toThrow(
      expect.objectContaining({ code: "SPEC_UNREADABLE", message: expect.stringMatching(/^run\.yaml, line 2, column 5: (?!.*line 2)/) }),
    );
  });
});
