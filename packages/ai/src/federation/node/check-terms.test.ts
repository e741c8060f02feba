import { TaskKind } from "@ciphernx/protocol/proto";
import { describe, expect, it } from "vitest";
import type { DatasetSchema } from "../../data/index.ts";
import { compileOrThrow, parseRunSpec, type RunPlan, runSpecHash } from "../../spec/index.ts";
import { partyTree, partyTreeHead } from "../../spec/party-tree.ts";
import { checkPlan, checkTerms } from "./check-terms.ts";

const spec = parseRunSpec({
  version: 1,
  name: "small",
  seed: 1,
  data: { dataset: "rows" },
  model: { kind: "tensors", tensors: { w: [2, 2], b: [1] } },
  train: { optimiser: { kind: "sgd", learningRate: 1 } },
  protection: { kind: "none" },
  rounds: 1,
});
const dataset = { schema: { kind: "opaque" }, trainExamples: 1, testExamples: 0, contentHash: "0".repeat(64) } as const;
const parties = ["ash", "birch", "elm"].map((name) => ({ name, kernelBuild: "custom", dataset }));
const plan = compileOrThrow(spec, { kernelBuild: "build", parties });
const [planned, birch] = plan.parties;
const proof = partyTree(plan.parties).proof(0);
const terms = { spec, plan, specHash: runSpecHash(spec), party: "ash", planned: planned!, index: 0, proof };

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
    ["a plan without it", { ...terms, plan: { ...plan, partyTree: partyTreeHead([birch!]) } }, "ash", "SPEC_INVALID", "does not list ash"],
    ["a plan with other rows of it", { ...terms, planned: { ...planned!, trainExamples: 2 } }, "ash", "SPEC_INVALID", "or with other rows"],
    ["another party's place", { ...terms, planned: birch!, index: 1, proof: partyTree(plan.parties).proof(1) }, "ash", "SPEC_INVALID", "list ash"],
    ["another place than its own", { ...terms, index: 1 }, "ash", "SPEC_INVALID", "does not list ash"],
    ["a place without proof", { ...terms, proof: [] }, "ash", "SPEC_INVALID", "does not list ash"],
    ["a plan whose tree is none", { ...terms, plan: { ...plan, partyTree: { size: 3, rootHash: "x" } } }, "ash", "SPEC_INVALID", "list ash"],
  ] as const)("refuses %s", (_name, task, node, code, message) => {
    expect(() => checkTerms(task, node)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) as string }));
  });
});

describe("a node goes by the spec, not by the plan", () => {
  const schema: DatasetSchema = {
    kind: "table",
    task: "classification",
    columns: [
      { name: "age", role: "feature", type: "number", range: [0, 120] },
      { name: "outcome", role: "label", type: "category", categories: ["ill", "well"] },
    ],
  };
  const asked = parseRunSpec({
    version: 1,
    name: "visits",
    seed: 1,
    data: { dataset: "visits" },
    preprocess: {},
    model: { kind: "mlp", hidden: [4] },
    train: { optimiser: { kind: "sgd", learningRate: 0.1 } },
    strategy: { kind: "fedavgm", local: ["*.bias"] },
    evaluate: { metrics: ["loss", "auc"] },
    encoding: { maxWeight: 100 },
    protection: { kind: "none" },
    rounds: 10,
  });
  const rows = { schema, trainExamples: 100, testExamples: 40, contentHash: "0".repeat(64) };
  const compiled = compileOrThrow(asked, { kernelBuild: "b", parties: [{ name: "ash", kernelBuild: "b", dataset: rows }] });
  // As it comes: a document.
  const honest = JSON.parse(JSON.stringify(compiled)) as RunPlan;

  it("takes the plan that compile makes of it, in every round and before the first", () => {
    const { STATISTICS, FIT, EVALUATE } = TaskKind;
    expect(() => checkPlan({ spec: asked, plan: honest, round: 0, kind: STATISTICS })).not.toThrow();
    for (const kind of [FIT, EVALUATE])
      for (const round of [1, 10]) expect(() => checkPlan({ spec: asked, plan: honest, round, kind })).not.toThrow();
    expect(() => checkPlan({ spec, plan, round: 1, kind: FIT })).not.toThrow();
  });

  const steps = honest.preprocess!.steps[0]!;
  it.each<[string, Partial<RunPlan>, string]>([
    ["more rounds", { rounds: 11 }, "rounds is 11, the spec's 10"],
    ["a wider range", { encoding: { ...honest.encoding, range: 1e6 } }, "encoding.range"],
    ["more bits", { encoding: { ...honest.encoding, bits: 16 } }, "encoding.bits"],
    ["another rounding", { encoding: { ...honest.encoding, rounding: "stochastic" } }, "encoding.rounding"],
    ["another weight", { encoding: { ...honest.encoding, maxWeight: 1 } }, "encoding.maxWeight"],
    ["statistics over another range", { preprocess: { ...honest.preprocess!, steps: [{ ...steps, bounds: [40, 41] } as never] } }, "preprocess"],
    ["another network", { model: { ...honest.model, network: { ...honest.model.network!, layers: [] } } }, "model"],
    ["other tensors", { model: { ...honest.model, tensors: [{ name: "w", shape: [1] }] } }, "model.tensors"],
    ["fewer tensors that stay", { model: { ...honest.model, local: honest.model.local!.slice(1) } }, "strategy.local"],
    ["further metrics", { heldOutMetrics: ["auc", "calibration"] }, "evaluate.metrics"],
    ["further sums", { strategySums: ["steps"] }, "strategy"],
  ])("refuses a plan with %s", (_name, lie, words) => {
    expect(() => checkPlan({ spec: asked, plan: { ...honest, ...lie }, round: 1, kind: TaskKind.FIT })).toThrow(
      expect.objectContaining({ code: "SPEC_INVALID", message: expect.stringContaining(words) as string }),
    );
  });

  const { preprocess: _, ...unprepared } = asked;
  const unjudged = { ...asked, evaluate: { ...asked.evaluate, every: 0 } };
  it.each([
    ["of a round that the spec has not", asked, 11, TaskKind.FIT, "of round 11, of 10"],
    ["to learn before the first round", asked, 0, TaskKind.FIT, "round 0"],
    ["to count rows once more", asked, 1, TaskKind.STATISTICS, "in round 1"],
    ["to count rows that nobody prepares", unprepared, 0, TaskKind.STATISTICS, "no preprocess section"],
    ["to judge a model that nobody judges", unjudged, 1, TaskKind.EVALUATE, "evaluate.every is 0"],
    ["to learn from rows that are prepared unasked", unprepared, 1, TaskKind.FIT, "preprocess"],
  ])("refuses a task %s", (_name, other, round, kind, words) => {
    expect(() => checkPlan({ spec: other, plan: honest, round, kind })).toThrow(
      expect.objectContaining({ code: "SPEC_INVALID", message: expect.stringContaining(words) as string }),
    );
  });
});
