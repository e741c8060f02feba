import { describe, expect, it } from "vitest";
import { compileOrThrow, parseRunSpec, runSpecHash } from "../../spec/index.ts";
import { checkTerms } from "./check-terms.ts";

const spec = parseRunSpec({
  version: 1,
  name: "small",
  seed: 1,
  data: { dataset: "rows" },
  model: { kind: "tensors", tensors: { w: [2, 2], b: [1] } },
  train: { optimiser: { kind: "sgd", learningRate: 1 } },
  rounds: 1,
});
const dataset = { schema: { kind: "opaque" }, trainExamples: 1, testExamples: 0, contentHash: "0".repeat(64) } as const;
const plan = compileOrThrow(spec, { kernelBuild: "build", parties: [{ name: "ash", kernelBuild: "custom", dataset }] });
const terms = { spec, plan, specHash: runSpecHash(spec), party: "ash" };

describe("a node looks at what it is asked for before it touches its data", () => {
  it("takes a task of its own whose spec has the hash that it will sign", () => {
    expect(() => checkTerms(terms, "ash")).not.toThrow();
    // A member that this version does not know is part of what is hashed.
    const later = { ...spec, laterSection: { on: true } } as typeof spec;
    const hash = runSpecHash(later);
    expect(() => checkTerms({ ...terms, spec: later, specHash: hash, plan: { ...plan, specHash: hash } }, "ash")).not.toThrow();
  });

  it.each([
    ["another party's", terms, "birch", "FORBIDDEN", "This node is birch; the task is for ash."],
    ["a spec of another hash", { ...terms, spec: { ...spec, rounds: 2 } }, "ash", "SPEC_INVALID", "hash to"],
    ["a plan of another spec", { ...terms, plan: { ...plan, specHash: "f".repeat(64) } }, "ash", "SPEC_INVALID", "hash to"],
    ["a plan without it", { ...terms, plan: { ...plan, parties: [] } }, "ash", "SPEC_INVALID", "does not list ash"],
  ] as const)("refuses %s", (_name, task, node, code, message) => {
    expect(() => checkTerms(task, node)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) as string }));
  });
});
