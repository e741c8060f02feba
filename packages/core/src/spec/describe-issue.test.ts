import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { describeIssue } from "./describe-issue.ts";
import { findMistakes } from "./index.ts";

/** How the schema library words its own messages. */
const RAW = /Invalid|Too (?:small|big)|expected .* received|>=|<=|Unrecognized|Expected/;

const pair = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("one"), first: z.number() }),
  z.strictObject({ kind: z.literal("two"), names: z.array(z.string()).min(1) }),
]);

/** A schema, a value that it refuses, and the sentence; the value stands under the key `at`. */
const SENTENCES: readonly (readonly [string, z.ZodType, unknown, string])[] = [
  ["a text for a number", z.number(), "7", 'Found the text "7" where a number is expected.'],
  ["a number for a text", z.string(), 7, "Found 7 where a text is expected."],
  ["a list for a section", z.strictObject({}), [1], "Found a list of 1 entry where a section is expected."],
  ["a section for a list", z.array(z.number()), {}, "Found a section where a list is expected."],
  ["nothing for a truth", z.boolean(), null, "Found nothing where true or false is expected."],
  ["a text for a record", z.record(z.string(), z.number()), "", "Found an empty text where a section is expected."],
  ["a fraction for a count", z.int(), 0.5, "Found 0.5 where a whole number is expected."],
  ["what is no number", z.number(), Number.NaN, "Found what is no number where a number is expected."],
  ["what has no end", z.number(), Infinity, "Found Infinity where a finite number is expected."],
  ["too small a number", z.number().min(8), 7, "Found 7; at least 8 is expected."],
  ["too large a number", z.int().max(32), 99, "Found 99; at most 32 is expected."],
  ["a number on the lower end", z.number().gt(0), 0, "Found 0; more than 0 is expected."],
  ["a number on the upper end", z.number().lt(1), 1, "Found 1; less than 1 is expected."],
  ["too short a text", z.string().min(1), "", "Found an empty text; at least 1 character is expected."],
  ["too long a text", z.string().max(2), "abc", "Found a text of 3 characters; at most 2 characters are expected."],
  ["a text of another length", z.string().length(2), "a", "Found a text of 1 character; exactly 2 characters are expected."],
  ["too short a list", z.array(z.number()).min(2), [1], "Found a list of 1 entry; at least 2 entries are expected."],
  ["too long a list", z.array(z.number()).max(1), [1, 2], "Found a list of 2 entries; at most 1 entry is expected."],
  ["a text of another form", z.string().regex(/^a+$/), "b", 'Found the text "b" where a text of the form /^a+$/ is expected.'],
  ["another beginning", z.string().startsWith("sha256:"), "b", 'Found the text "b" where a text that begins with "sha256:" is expected.'],
  ["another end", z.string().endsWith(".csv"), "b", 'Found the text "b" where a text that ends with ".csv" is expected.'],
  ["a text without a part", z.string().includes("@"), "b", 'Found the text "b" where a text that holds "@" is expected.'],
  ["no address of a page", z.url(), "b", 'Found the text "b" where a URL is expected.'],
  ["no multiple", z.number().multipleOf(4), 7, "Found 7 where a multiple of 4 is expected."],
  ["another constant", z.literal(1), 2, "Found 2 where 1 is expected."],
  ["none of the words", z.enum(["exact", "loose"]), "exat", 'Found the text "exat", which is none of the values that are allowed.'],
  ["none of two types", z.union([z.literal("all"), z.int()]), "al", 'Found the text "al", which is none of what is allowed.'],
  ["a rule without a sentence", z.number().refine((n) => n > 3), 2, "Found 2, which is not allowed."],
  ["a rule with a sentence", z.number().refine((n) => n > 3, "Take more."), 2, "Take more."],
  ["a form with a sentence", z.string().regex(/^a+$/, "Only the letter a."), "b", 'Found the text "b". Only the letter a.'],
];

describe("a mistake without a sentence of its schema", () => {
  it.each(SENTENCES)("%s", (_name, schema, value, reason) => {
    expect(findMistakes(z.strictObject({ at: schema }), { at: value })).toEqual([{ path: "at", reason, remedy: expect.any(String) as string }]);
  });

  it("names the key of a section that may not be called so, and the kind that is none", () => {
    const shapes = z.record(z.string().max(3), z.number());
    expect(findMistakes(shapes, { long: 1 })).toEqual([
      {
        path: "long",
        reason: "This key has no name that is allowed. Found a text of 4 characters; at most 3 characters are expected.",
        remedy: "Correct it.",
      },
    ]);
    expect(findMistakes(pair, { kind: "three" })).toEqual([
      { path: "kind", reason: 'Found the text "three", which is none of what is allowed.', remedy: 'Allowed: "one" or "two".' },
    ]);
    expect(findMistakes(pair, {})).toEqual([{ path: "kind", reason: "This key is missing.", remedy: 'Add it: "one" or "two".' }]);
  });

  it("is sought in the option of a union that was meant", () => {
    const schema = z.union([pair, z.strictObject({ kind: z.literal("opaque") })]);
    expect(findMistakes(schema, { kind: "two", names: [] })).toEqual([
      { path: "names", reason: "Found an empty list; at least 1 entry is expected.", remedy: "Allowed: a list of at least 1 entry." },
    ]);
    expect(findMistakes(schema, { kind: "neither" })).toEqual([
      {
        path: "(the document)",
        reason: "Found a section, which is none of what is allowed.",
        remedy: 'Allowed: { kind: "one", … }, { kind: "two", … } or { kind: "opaque", … }.',
      },
    ]);
  });

  it("quotes a long text in part", () => {
    const [mistake] = findMistakes(z.number(), "x".repeat(10_000));
    expect(mistake?.reason.length).toBeLessThan(200);
  });

  it("is in words of our own, whatever stands in the place of what", () => {
    const schemas = SENTENCES.map(([, schema]) => schema);
    fc.assert(
      fc.property(fc.constantFrom(...schemas, pair), fc.jsonValue({ maxDepth: 2 }), (schema, value) => {
        for (const { reason, remedy } of findMistakes(z.strictObject({ at: schema }), { at: value })) {
          const ours = reason.replace(/"(?:[^"\\]|\\.)*"/g, "");
          expect(ours).not.toMatch(RAW);
          expect([ours.endsWith("."), remedy]).toEqual([true, expect.stringMatching(/[.?]$/)]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("has a sentence also for what no schema of ours can say", () => {
    const base = { input: undefined };
    expect(describeIssue({ ...base, code: "invalid_element", origin: "set", key: 1, issues: [] })).toBe("Found nothing, which is not allowed.");
    expect(describeIssue({ ...base, code: "unrecognized_keys", keys: ["a", "b"] })).toBe('Found keys that are not known: "a", "b".');
    expect(describeIssue({ ...base, code: "invalid_type", expected: "symbol" })).toBe("Found nothing where a value of the type symbol is expected.");
  });
});
