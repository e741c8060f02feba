import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRunSpec, type RunSpecInput, runSpecHash } from "./index.ts";

const SPEC = {
  version: 1,
  name: "small",
  seed: 1,
  data: { dataset: "rows" },
  model: { kind: "mlp" },
  train: { optimiser: { kind: "sgd", learningRate: 0.1 } },
  rounds: 2,
} as const satisfies RunSpecInput;

const YAML = `
# The same, as people write it.
rounds: 0x2
train:
  optimiser: { learningRate: 1e-1, kind: sgd }
model:
  kind: "mlp" # 128 hidden units
data: { dataset: rows }
name: small
seed: 1
version: 1
`;

/** What parsing says about a document that is no spec. */
function mistakesOf(document: unknown): readonly { readonly path: string; readonly reason: string; readonly remedy: string }[] {
  try {
    parseRunSpec(document as RunSpecInput);
  } catch (error) {
    expect(error).toMatchObject({ code: "SPEC_INVALID" });
    return (error as { details: { mistakes: ReturnType<typeof mistakesOf> } }).details.mistakes;
  }
  throw new Error("The document was taken for a spec.");
}

describe("a mistake in a spec is named with its place and what was meant", () => {
  const cases: readonly (readonly [document: unknown, path: string, reason: string, remedy: string])[] = [
    [{ ...SPEC, cohrt: {} }, "cohrt", '"cohrt" is not a key of this document.', 'Did you mean "cohort"?'],
    [{ ...SPEC, cohort: { quorom: 1 } }, "cohort.quorom", "is not a key of cohort", 'Did you mean "quorum"?'],
    [
      { ...SPEC, train: { optimiser: { ...SPEC.train.optimiser, momentun: 0 } } },
      "train.optimiser.momentun",
      "is not a key",
      'Did you mean "momentum"?',
    ],
    [
      { ...SPEC, train: { optimiser: { ...SPEC.train.optimiser, beta1: 0.9 } } },
      "train.optimiser.beta1",
      "is not a key",
      "Known keys here: kind, learningRate, momentum, weightDecay.",
    ],
    [{ ...SPEC, train: { optimiser: { kind: "sdg", learningRate: 1 } } }, "train.optimiser.kind", "", 'Did you mean "sgd"?'],
    [{ ...SPEC, model: { kind: "cnm" } }, "model.kind", "", 'Did you mean "cnn"?'],
    [
      { ...SPEC, model: { kind: "transformer" } },
      "model.kind",
      "",
      'Allowed: "linear", "logistic", "softmax", "mlp", "lenet5", "cnn", "resnet", "layers" or "tensors".',
    ],
    [{ ...SPEC, model: {} }, "model.kind", "This key is missing.", 'Add it: "linear", "logistic", '],
    [{ ...SPEC, model: { kind: "tensors" } }, "model.tensors", "This key is missing.", ""],
    [{ ...SPEC, model: { kind: "tensors", tensors: {} } }, "model.tensors", "Name at least one tensor.", ""],
    [{ ...SPEC, strategy: { kind: "fedavg", mu: 1 } }, "strategy.mu", "is not a key of strategy", "Known keys here: kind, local."],
    [{ ...SPEC, strategy: "fedprx" }, "strategy", 'Found the text "fedprx" where a section is expected.', 'Did you mean "fedprox"?'],
    [{ ...SPEC, reproducibility: "exactly" }, "reproducibility", "", 'Did you mean "exact"?'],
    [{ ...SPEC, encoding: { bits: 7 } }, "encoding.bits", "Found 7; at least 8 is expected.", ""],
    [{ ...SPEC, evaluate: { metrics: ["loss", "loss"] } }, "evaluate.metrics", "A metric is named once.", ""],
    [{ ...SPEC, data: { dataset: "rows", parties: ["a", "B"] } }, "data.parties[1]", 'Found the text "B". A name has', "Correct it."],
    [{ ...SPEC, data: { dataset: "rows", parties: [] } }, "data.parties", "", ""],
    [{ ...SPEC, checkpoint: "abc" }, "checkpoint", "64 lower-case hex digits", ""],
    [{ ...SPEC, version: 2 }, "version", "", "Allowed: 1."],
    [null, "(the document)", "Found nothing where a section is expected.", ""],
    ["a text of one word", "(the document)", 'Found the text "a text of one word" where a section is expected.', ""],
  ];

  it.each(cases.map(([document, ...rest]) => [...rest, document] as const))("%s: %s %s", (path, reason, remedy, document) => {
    const [mistake, ...others] = mistakesOf(document);
    expect(others).toEqual([]);
    expect(mistake!.reason).not.toMatch(/Invalid|Too |received|>=|<=/);
    expect(mistake).toEqual({ path, reason: expect.stringContaining(reason) as string, remedy: expect.stringContaining(remedy) as string });
  });

  it("all of them at once, also in the message", () => {
    const document = { version: 1, name: "A", seed: 0.5, model: { kind: "mlp", hidden: [0, "x"] }, data: {}, train: SPEC.train, rounds: 0 };
    expect(mistakesOf(document).map(({ path }) => path)).toEqual(["name", "seed", "data.dataset", "model.hidden[0]", "model.hidden[1]", "rounds"]);
    expect(() => parseRunSpec(document as unknown as RunSpecInput)).toThrow(/name: .*\n {2}seed: .*\n.*rounds: /s);
  });
});

describe("a text that cannot be read", () => {
  it.each([
    ["a list that does not end", "version: 1\nname: [\n", /line 3/],
    ["a key that comes twice", "version: 1\nname: a\nversion: 1\n", /line 3, column 1: Map keys must be unique/],
    ["two documents", "version: 1\n---\nversion: 1\n", /line 2/],
    ["a tabulator that indents", "data:\n\tdataset: a\n", /line 2/],
    ["more than a million characters", `# ${"x".repeat(1_000_000)}`, /1000002 characters long/],
    [
      "a bomb of aliases",
      `a: &a [${"x,".repeat(20)}]\nb: &b [${"*a,".repeat(20)}]\nc: &c [${"*b,".repeat(20)}]\nd: [${"*c,".repeat(20)}]\n`,
      /alias/,
    ],
  ])("%s", (_name, text, message) => {
    expect(() => parseRunSpec(text, "run.yaml")).toThrow(
      expect.objectContaining({ code: "SPEC_UNREADABLE", message: expect.stringMatching(message) as string }),
    );
    expect(() => parseRunSpec(text, "run.yaml")).toThrow(/^run\.yaml/);
  });
});

describe("a spec that is well formed", () => {
  it("has every default filled in", () => {
    expect(parseRunSpec(SPEC)).toEqual({
      ...SPEC,
      data: { dataset: "rows", parties: "all" },
      model: { kind: "mlp", hidden: [128], activation: "relu" },
      train: { optimiser: { kind: "sgd", learningRate: 0.1, momentum: 0, weightDecay: 0 }, batchSize: 32, epochs: 1 },
      strategy: { kind: "fedavg" },
      cohort: { size: "all", quorum: "all", overSelect: 0, deadlineSeconds: 600, attempts: 3 },
      encoding: { range: 1, bits: 32, rounding: "nearest", maxWeight: "auto" },
      evaluate: { every: 1, metrics: ["loss", "correct"] },
      protection: { kind: "secagg", kMin: 3, corruption: 1 / 3, dropout: 0.1 },
      reproducibility: "exact",
    });
  });

  it("parses to itself", () => {
    const spec = parseRunSpec(SPEC);
    expect(parseRunSpec(spec)).toEqual(spec);
    expect(parseRunSpec(JSON.stringify(spec))).toEqual(spec);
  });

  it("has one hash, whatever the order of its keys, its format and its comments, and whether defaults are written out", () => {
    const hash = runSpecHash(parseRunSpec(SPEC));
    expect(hash).toBe("2312eba2acf89a87cae44920e7fcfdbd4a1141146d1e8e66daaaf21c944908c7");
    expect(runSpecHash(parseRunSpec(parseRunSpec(SPEC)))).toBe(hash);
    expect(runSpecHash(parseRunSpec(YAML))).toBe(hash);
    const shuffled = (value: unknown, order: readonly number[]): unknown => {
      if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
      const entries = Object.entries(value).map(([key, member], index) => [order[index % order.length]!, key, shuffled(member, order)] as const);
      return Object.fromEntries(entries.toSorted(([a], [b]) => a - b).map(([, key, member]) => [key, member]));
    };
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 3, maxLength: 15 }), fc.boolean(), (order, full) => {
        const document = shuffled(full ? parseRunSpec(SPEC) : SPEC, order);
        expect(runSpecHash(parseRunSpec(`# a comment\n${JSON.stringify(document, null, 3)}`))).toBe(hash);
      }),
      { numRuns: 25 },
    );
  });

  it("has another hash when anything in it means something else", () => {
    const changes: readonly Partial<RunSpecInput>[] = [
      {},
      { seed: 2 },
      { rounds: 3 },
      { name: "other" },
      { encoding: { bits: 16 } },
      { strategy: { kind: "fedavgm" } },
      { checkpoint: "0".repeat(64) },
    ];
    expect(new Set(changes.map((change) => runSpecHash(parseRunSpec({ ...SPEC, ...change })))).size).toBe(changes.length);
  });
});
