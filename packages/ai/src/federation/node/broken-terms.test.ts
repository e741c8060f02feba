import { describe, expect, it } from "vitest";
import { type DatasetSchema, type DatasetTerms, termsSchema } from "../../data/index.ts";
import { compileOrThrow, parseRunSpec, type RunSpecInput } from "../../spec/index.ts";
import { brokenTerms, type TermFacts } from "./broken-terms.ts";

const table = (range: [number, number]): DatasetSchema => ({
  kind: "table",
  task: "classification",
  columns: [
    { name: "age", role: "feature", type: "number", range },
    { name: "smoker", role: "feature", type: "category", categories: ["yes", "no"] },
    { name: "outcome", role: "label", type: "category", categories: ["ill", "well"] },
  ],
});
const schema = table([0, 120]);
const facts: TermFacts = { today: "2026-11-23", schema, trainExamples: 100, testExamples: 40 };

function asked(changes: Partial<RunSpecInput> = {}, rows: DatasetSchema = schema) {
  const spec = parseRunSpec({
    version: 1,
    name: "visits",
    seed: 1,
    data: { dataset: "visits", purpose: "triage" },
    preprocess: {},
    model: { kind: "logistic" },
    train: { optimiser: { kind: "sgd", learningRate: 0.1 }, epochs: 5 },
    protection: { kind: "none" },
    rounds: 10,
    ...changes,
  });
  const dataset = { schema: rows, trainExamples: 100, testExamples: 40, contentHash: "0".repeat(64) };
  return { party: "ash", spec, plan: compileOrThrow(spec, { kernelBuild: "b", parties: [{ name: "ash", kernelBuild: "b", dataset }] }) };
}

function broken(terms: Partial<DatasetTerms>, run = asked(), known: Partial<TermFacts> = {}) {
  return brokenTerms(termsSchema.parse({ protections: ["none"], ...terms }), run, { ...facts, ...known });
}

describe("a run and the terms of a dataset", () => {
  it("agree where the terms ask for nothing", () => expect(broken({})).toEqual([]));

  it.each<[keyof DatasetTerms, Partial<DatasetTerms>, Partial<DatasetTerms>, string]>([
    ["purposes", { purposes: ["billing", "triage"] }, { purposes: ["Triage"] }, 'asks "triage", allowed "Triage"'],
    ["protections", { protections: ["secagg", "none"] }, { protections: ["secagg"] }, "asks none, allowed secagg"],
    ["maxRounds", { maxRounds: 10 }, { maxRounds: 9 }, "asks 10 rounds, allowed 9"],
    ["maxEpochs", { maxEpochs: 5 }, { maxEpochs: 4 }, "asks 5 epochs a round, allowed 4"],
    ["strategies", { strategies: ["fedprox", "fedavg"] }, { strategies: ["fedprox"] }, "asks fedavg, allowed fedprox"],
    ["models", { models: ["logistic"] }, { models: ["linear", "mlp"] }, "asks logistic, allowed linear, mlp"],
    [
      "statistics",
      { statistics: ["categories", "numbers"] },
      { statistics: ["categories"] },
      "asks counts of numbers and categories, allowed categories",
    ],
    ["expires", { expires: "2026-11-23" }, { expires: "2026-11-22" }, "asks an answer on 2026-11-23, allowed them until 2026-11-22"],
  ])("%s: kept and broken", (term, kept, unkept, words) => {
    expect(broken(kept)).toEqual([]);
    const found = broken(unkept);
    expect(found.map(({ asked: asks, allowed }) => `asks ${asks}, allowed ${allowed}`)).toEqual([words]);
    expect(found[0]!.term).toBe(term);
  });

  it("minHeldOutRows: counts by class and score are told of enough rows alone", () => {
    const counting = asked({ evaluate: { metrics: ["loss", "auc"] } });
    expect(broken({ minHeldOutRows: 40 }, counting)).toEqual([]);
    expect(broken({ minHeldOutRows: 41 }, counting)).toEqual([{ term: "minHeldOutRows", asked: "auc on 40 rows", allowed: "that on 41 or more" }]);
    // What the coordinator says of the rows is not asked.
    expect(broken({ minHeldOutRows: 40 }, counting, { testExamples: 3 })).toHaveLength(1);
    expect(broken({ minHeldOutRows: 41 })).toEqual([]);
    expect(broken({ minHeldOutRows: 41 }, asked({ evaluate: { every: 0, metrics: ["auc"] } }))).toEqual([]);
  });

  it("minCountedRows: rows are counted where there are enough of them", () => {
    expect(broken({ minCountedRows: 100 })).toEqual([]);
    expect(broken({ minCountedRows: 101 })).toEqual([{ term: "minCountedRows", asked: "counts of 100 rows", allowed: "those of 101 or more" }]);
    // What the coordinator says of the rows is not asked.
    expect(broken({ minCountedRows: 100 }, asked(), { trainExamples: 1 })).toHaveLength(1);
    const plain: DatasetSchema = { kind: "tensor", shape: [2], element: "f32", scale: 1, task: "classification", classes: 2 };
    expect(broken({ minCountedRows: 101 }, asked({ preprocess: undefined }, plain), { schema: plain })).toEqual([]);
  });

  it("statistics: an empty list forbids counting, and a run that counts nothing keeps it", () => {
    const plain: DatasetSchema = { kind: "tensor", shape: [2], element: "f32", scale: 1, task: "classification", classes: 2 };
    const uncounted = asked({ preprocess: undefined }, plain);
    expect(broken({ statistics: [] })).toMatchObject([{ term: "statistics", allowed: "none" }]);
    expect(broken({ statistics: [] }, uncounted, { schema: plain })).toEqual([]);
  });

  it("a purpose is wanted of a run that names none", () => {
    expect(broken({ purposes: ["triage"] }, asked({ data: { dataset: "visits" } }))).toMatchObject([{ asked: "no purpose (data.purpose)" }]);
  });

  it("refuses a plan that counts rows over other ranges than the dataset's", () => {
    expect(broken({}, asked({}, table([40, 41])))).toMatchObject([{ term: "schema" }]);
  });

  it("names every term that is broken", () => {
    expect(broken({ maxRounds: 1, maxEpochs: 1, protections: ["secagg"] }).map(({ term }) => term)).toEqual([
      "protections",
      "maxRounds",
      "maxEpochs",
    ]);
  });
});

describe("terms", () => {
  it.each([
    [{}, "protections"],
    [{ protections: [] }, "protections"],
    [{ protections: ["none"], maxRound: 3 }, "maxRound"],
    [{ protections: ["none"], maxRounds: 0 }, "maxRounds"],
    [{ protections: ["none"], expires: "2027-02-30" }, "expires"],
    [{ protections: ["none"], statistics: ["rows"] }, "statistics"],
  ])("%j are none", (terms, key) => {
    const parsed = termsSchema.safeParse(terms);
    expect(JSON.stringify(parsed.error?.issues)).toContain(`"${key}"`);
  });

  it("ask for approval unless they say otherwise", () => expect(termsSchema.parse({ protections: ["none"] }).runs).toBe("approved"));
});
