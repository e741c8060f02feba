import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DatasetSchema, RegisteredSchema } from "../data/index.ts";
import { compile, compileOrThrow, type CompileFacts, parseRunSpec, type PartyFacts, type RunPlan, type RunSpecInput } from "./index.ts";

const ROWS: DatasetSchema = { kind: "tensor", shape: [4], element: "f32", scale: 1, task: "classification", classes: 3 };
const PAIRS: DatasetSchema = { ...ROWS, classes: 2 };
const NUMBERS: DatasetSchema = { kind: "tensor", shape: [4], element: "f32", scale: 1, task: "regression" };
/** Rows that can be prepared. */
const AGES: DatasetSchema = {
  kind: "table",
  task: "classification",
  columns: [
    { name: "age", role: "feature", type: "number", range: [0, 100] },
    { name: "ill", role: "label", type: "category", categories: ["no", "yes"] },
  ],
};

const SPEC: RunSpecInput = {
  version: 1,
  name: "small",
  seed: 1,
  data: { dataset: "rows" },
  model: { kind: "mlp", hidden: [5] },
  train: { optimiser: { kind: "sgd", learningRate: 0.1 } },
  protection: { kind: "none" },
  rounds: 5,
  encoding: { bits: 16 },
};

function party(name: string, trainExamples: number, testExamples = 0, schema: RegisteredSchema = ROWS, kernelBuild = "build"): PartyFacts {
  return { name, kernelBuild, dataset: { schema, trainExamples, testExamples, contentHash: name.padEnd(64, "0") } };
}

const FACTS: CompileFacts = { kernelBuild: "build", parties: [party("cedar", 30, 7), party("ash", 10, 5), party("birch", 20)] };

function planOf(changes: Partial<RunSpecInput> = {}, facts = FACTS): RunPlan {
  return compileOrThrow(parseRunSpec({ ...SPEC, ...changes }), facts);
}

function refusalsOf(changes: Partial<RunSpecInput>, facts: CompileFacts = FACTS) {
  const compiled = compile(parseRunSpec({ ...SPEC, ...changes }), facts);
  return compiled.ok ? [] : compiled.refusals;
}

/** A document with edits made, in order. */
function edited(document: unknown, edits: readonly { readonly path: string; readonly value: unknown }[]): RunSpecInput {
  const copy = structuredClone(document) as Record<string, unknown>;
  for (const { path, value } of edits) {
    const keys = path.split(/[.[\]]+/).filter((key) => key !== "");
    let at: object = copy;
    for (const key of keys.slice(0, -1)) {
      if (typeof Reflect.get(at, key) !== "object") Reflect.set(at, key, {});
      at = Reflect.get(at, key) as object;
    }
    Reflect.set(at, keys.at(-1)!, value);
  }
  return copy as unknown as RunSpecInput;
}

describe("a plan", () => {
  it("is what one works out by hand", () => {
    const plan = planOf({ cohort: { size: 2, overSelect: 1, quorum: 1, deadlineSeconds: 1.5 }, evaluate: { every: 2 } });
    // 4·5 weights, 5 biases, 5·3 weights, 3 biases.
    expect(plan.model.parameters).toBe(43);
    expect(plan.model.tensors.map(({ shape }) => shape.reduce((product, size) => product * size, 1)).toSorted((a, b) => a - b)).toEqual([
      3, 5, 15, 20,
    ]);
    expect(plan.parties.map(({ name, trainExamples, testExamples }) => [name, trainExamples, testExamples])).toEqual([
      ["ash", 10, 5],
      ["birch", 20, 0],
      ["cedar", 30, 7],
    ]);
    expect(plan.cohort).toEqual({ size: 2, invited: 3, quorum: 1, deadlineMs: 1500, attempts: 3 });
    expect(plan.encoding).toEqual({ range: 1, bits: 16, rounding: "nearest", maxWeight: 30 });

    // A safetensors file: 8 bytes of length, a header of JSON padded to 8, the data.
    const fileBytes = (json: string, dataBytes: number): number => 8 + Math.ceil(json.length / 8) * 8 + dataBytes;
    // Weight, loss, correct and the count of clipped coordinates, in 4 limbs of 15 bits each: 43 + 16 coordinates of 2 bytes.
    expect(plan.updateBytes).toBe(fileBytes('{"coordinates":{"dtype":"I16","shape":[59],"data_offsets":[0,118]}}', 118));
    const evaluationBytes = fileBytes('{"coordinates":{"dtype":"I16","shape":[16],"data_offsets":[0,32]}}', 32);
    let offset = 0;
    const header = plan.model.tensors.map(({ name, shape }) => {
      const start = offset;
      offset += 4 * shape.reduce((product, size) => product * size, 1);
      return `"${name}":{"dtype":"F32","shape":[${shape.join(",")}],"data_offsets":[${start},${offset}]}`;
    });
    expect(plan.model.sizeBytes).toBe(fileBytes(`{${header.join(",")}}`, 43 * 4));
    // 5 rounds × 3 invited parties; ash and cedar judge after rounds 2, 4 and 5.
    expect(plan.totalBytes).toEqual({ down: (15 + 6) * plan.model.sizeBytes, up: 15 * plan.updateBytes + 6 * evaluationBytes });
    // 5 rounds × (30 rows × 43 parameters × 6 operations at 100 a second + (model + update) at 1000 bytes a second + 0.1 s).
    const slow = planOf({}, { ...FACTS, flopsPerSecond: 100, bytesPerSecond: 1000 });
    expect(slow.estimatedSeconds).toBe(Math.ceil(5 * ((30 * 43 * 6) / 100 + (plan.model.sizeBytes + plan.updateBytes) / 1000 + 0.1)));
    expect(plan).toMatchObject({ rounds: 5, reproducible: true, metricNames: ["loss", "correct"], kernelBuild: "build" });
  });

  it("says where the result also depends on who answers in time", () => {
    for (const waitingForAll of [planOf(), planOf({ cohort: { size: 2 } })]) {
      expect(waitingForAll).toMatchObject({ reproducible: true, labels: [] });
      expect(waitingForAll).not.toHaveProperty("dependsOnAnswers");
    }
    for (const [cohort, what] of [
      [{ quorum: 2 }, "A round may close with 2 of 3 updates"],
      [{ size: 2, overSelect: 1 }, "A round may close with 2 of 3 updates"],
    ] as const) {
      expect(planOf({ cohort })).toMatchObject({ reproducible: true, dependsOnAnswers: true, labels: [expect.stringContaining(what)] });
    }
    const facts = { ...FACTS, parties: ["ash", "birch", "cedar"].map((name) => party(name, 30, 0, AGES)) };
    expect(planOf({ cohort: { size: 2 } }, facts)).not.toHaveProperty("dependsOnAnswers");
    expect(planOf({ cohort: { size: 2 }, preprocess: {} }, facts)).toMatchObject({
      dependsOnAnswers: true,
      labels: [expect.stringContaining("Rows may be prepared by the statistics of 2 of 3 parties")],
    });
  });

  it("is refused where every party registered that it knows no cell of a column, with what to do; one that knows some is enough", () => {
    const table = (missingCells: { readonly column: string; readonly count: number }[]): RegisteredSchema => ({
      kind: "table",
      task: "classification",
      columns: [
        { name: "age", role: "feature", type: "number", range: [0, 100] },
        { name: "pain", role: "feature", type: "category", categories: ["some", "none"] },
        { name: "ill", role: "label", type: "category", categories: ["no", "yes"] },
      ],
      missingCells,
    });
    const world = (ash: number, birch: number, column: string): CompileFacts => ({
      ...FACTS,
      parties: [party("ash", 10, 5, table([{ column, count: ash }])), party("birch", 20, 0, table([{ column, count: birch }]))],
    });
    expect(refusalsOf({ preprocess: {} }, world(15, 20, "age"))).toEqual([
      {
        path: "preprocess.columns.age",
        reason: expect.stringContaining('single cell of the column "age"') as string,
        remedy: expect.stringContaining('the role "ignore"') as string,
      },
    ]);
    for (const [ash, birch] of [
      [14, 20],
      [15, 19],
    ] as const)
      expect(refusalsOf({ preprocess: {} }, world(ash, birch, "age"))).toEqual([]);
    const [refusal] = refusalsOf({ preprocess: {} }, world(15, 20, "pain"));
    expect(refusal).toMatchObject({ path: "preprocess.columns.pain", remedy: expect.stringContaining("impute: category") as string });
    expect(refusalsOf(edited({ preprocess: {} }, refusal!.edits!), world(15, 20, "pain"))).toEqual([]);
  });

  it("warns of parties whose rows are too few to be counted without telling of single ones", () => {
    const facts = { ...FACTS, parties: [party("ash", 1, 0, AGES), party("birch", 19, 0, AGES), party("cedar", 20, 0, AGES)] };
    const { reproducible, labels } = planOf({ preprocess: {} }, facts);
    expect(reproducible).toBe(true);
    expect(labels).toEqual([expect.stringContaining("Fewer than 20 training rows are counted at ash (1 row), birch (19 rows): ")]);
    expect(planOf({}, facts).labels).toEqual([]);
    expect(planOf({ preprocess: {} }, { ...FACTS, parties: [party("cedar", 20, 0, AGES)] }).labels).toEqual([]);
  });

  it("prices a convolution by its work, not by its parameters", () => {
    const images: DatasetSchema = { kind: "tensor", shape: [28, 28], element: "u8", scale: 1, task: "classification", classes: 10 };
    const facts = { ...FACTS, parties: [party("ash", 1_000, 0, images)], flopsPerSecond: 1e9 };
    const plan = planOf({ model: { kind: "cnn" }, rounds: 1 }, facts);
    // Both convolutions at every pixel, the pixels that are pooled, and two dense layers.
    const work = 28 * 28 * 832 + 14 * 14 * 51_264 + 28 * 28 * 32 + 14 * 14 * 64 + 1_606_144 + 5_130;
    expect(plan.estimatedSeconds).toBe(Math.ceil((1_000 * work * 6) / 1e9 + (plan.model.sizeBytes + plan.updateBytes) / 50e6 + 0.1));
  });

  it("is one function of spec and facts, whatever the order of the parties", () => {
    const plan = planOf();
    expect(plan.planHash).toBe("2a895b570f30ca4c3fabe23ff668a47398d342c0bae4fcfca521a54dffe92476");
    expect(planOf({}, { ...FACTS, parties: FACTS.parties.toReversed() })).toEqual(plan);
    expect(planOf({ seed: 2 }).planHash).not.toBe(plan.planHash);
    expect(planOf({}, { ...FACTS, parties: [...FACTS.parties, party("dogwood", 1)] }).planHash).not.toBe(plan.planHash);
    const frozen = Object.freeze({ ...FACTS, parties: Object.freeze([...FACTS.parties].map((one) => Object.freeze(one))) });
    expect(planOf({}, frozen)).toEqual(plan);
  });

  it("takes the parties that are named, once each, or all that hold rows to learn from", () => {
    expect(planOf({ data: { dataset: "rows", parties: ["cedar", "ash", "cedar"] } }).parties.map(({ name }) => name)).toEqual(["ash", "cedar"]);
    const facts = { ...FACTS, parties: [...FACTS.parties, { name: "elm", kernelBuild: "build" }, party("fir", 0, 9)] };
    expect(planOf({}, facts).parties.map(({ name }) => name)).toEqual(["ash", "birch", "cedar"]);
  });

  it("bounds weights by the largest set of rows, held-out rows too", () => {
    expect(planOf({}, { ...FACTS, parties: [party("ash", 10, 500)] }).encoding.maxWeight).toBe(500);
    expect(planOf({ encoding: { maxWeight: 64 } }).encoding.maxWeight).toBe(64);
  });

  it("tells means from metrics that are worked out of sums of their own, which only an evaluation carries", () => {
    const facts = { ...FACTS, parties: [party("ash", 10, 5, PAIRS), party("elm", 10, 5, PAIRS)] };
    const plain = planOf({ encoding: { bits: 32 } }, facts);
    const plan = planOf({ encoding: { bits: 32 }, evaluate: { metrics: ["auc", "loss", "f1", "correct", "calibration"] } }, facts);
    expect(plan).toMatchObject({ metricNames: ["loss", "correct"], heldOutMetrics: ["auc", "f1", "calibration"], updateBytes: plain.updateBytes });
    expect(plain).not.toHaveProperty("heldOutMetrics");
    // Two histograms of 256 bins, three counts, three sums of 10 bins; each in 4 limbs of 4 bytes, from each of 2 parties in each of 5 rounds.
    const further = 10 * (2 * 256 + 3 + 30) * 4 * 4;
    const headers = plan.totalBytes.up - plain.totalBytes.up - further;
    expect(headers).toBeGreaterThanOrEqual(0); // longer numbers in the headers
    expect(headers).toBeLessThanOrEqual(10 * 8);
    expect(plan.totalBytes.down).toBe(plain.totalBytes.down);
    // A trainer of the parties' own reports sums of these names itself.
    const own = planOf({ model: { kind: "tensors", tensors: { w: [3] } }, evaluate: { metrics: ["auc"] } }, facts);
    expect(own).toMatchObject({ metricNames: ["auc"] });
    expect(own).not.toHaveProperty("heldOutMetrics");
  });

  it("says when the bits are not promised", () => {
    const foreign = { ...FACTS, parties: [...FACTS.parties, party("dogwood", 5, 0, ROWS, "other build")] };
    expect(planOf({ reproducibility: "any-kernel" }, foreign)).toMatchObject({
      reproducible: false,
      labels: [expect.stringContaining("dogwood (other build)")],
    });
    expect(planOf({ model: { kind: "tensors", tensors: { w: [3], b: [1] } } }, foreign)).toMatchObject({
      reproducible: false,
      model: {
        parameters: 4,
        tensors: [
          { name: "b", shape: [1] },
          { name: "w", shape: [3] },
        ],
      },
    });
  });

  it("says that a build which rounds as its host does is not reproducible across hosts, whoever trains with it", () => {
    const everybody = { kernelBuild: "fma-1", parties: [party("ash", 10, 0, ROWS, "fma-1"), party("elm", 5, 0, ROWS, "fma-1")] };
    expect(planOf({ reproducibility: "any-kernel" }, everybody)).toMatchObject({
      reproducible: false,
      labels: ["Not reproducible across hosts: fma-1 rounds products as each host does."],
    });
    const one = { kernelBuild: "baseline-1", parties: [party("ash", 10, 0, ROWS, "baseline-1"), party("elm", 5, 0, ROWS, "fma-1")] };
    expect(planOf({ reproducibility: "any-kernel" }, one)).toMatchObject({
      reproducible: false,
      labels: ["Other kernel builds than baseline-1 take part: elm (fma-1).", expect.stringContaining("Not reproducible across hosts: fma-1")],
    });
  });

  it("counts of missing cells are no part of it: they are of no use to a party's own trainer, and differ between parties", () => {
    const model: RunSpecInput["model"] = { kind: "tensors", tensors: { w: [3] } };
    const whole = planOf({ model }, { ...FACTS, parties: [party("ash", 10, 0, table([])), party("elm", 20, 0, table([]))] });
    const gaps = table([{ column: "chol", count: 7 }]);
    expect(planOf({ model }, { ...FACTS, parties: [party("ash", 10, 0, gaps), party("elm", 20, 0, table([]))] })).toEqual(whole);
    expect(whole.schema).toEqual(table([]));
  });

  it("prepares rows: gaps are filled, the network has as many inputs as features come of it, the statistics are priced", () => {
    const gaps = table([{ column: "chol", count: 7 }]);
    const preprocess: RunSpecInput["preprocess"] = { columns: { age: { clip: [0, 120] }, chol: { clip: [100, 600], indicate: true } }, bins: 64 };
    const world = { ...FACTS, parties: [party("ash", 10, 0, gaps), party("elm", 20, 0, table([]))] };
    const plan = planOf({ preprocess }, world);
    expect(plan.preprocess?.steps.map(({ column, impute }) => [column, impute])).toEqual([
      ["age", "median"],
      ["chol", "median"],
    ]);
    expect(plan.preprocess?.features).toBe(3);
    expect(plan.model.network?.inputLength).toBe(3);
    // Two columns of 64 bins and three sums, weight and saturated count, two limbs … as the encoding says, in 32-bit coordinates.
    expect(plan.preprocess!.statisticsBytes).toBeGreaterThan((2 * 67 + 2) * 4);
    const without = planOf({ preprocess: { ...preprocess, bins: 16 } }, world);
    expect(plan.totalBytes.up - without.totalBytes.up).toBe(2 * (plan.preprocess!.statisticsBytes - without.preprocess!.statisticsBytes));
    expect(refusalsOf({ preprocess: { columns: { ...preprocess.columns, chol: { clip: [100, 600], impute: "none" } } } }, world)).toMatchObject([
      { path: "preprocess", reason: expect.stringContaining('ash in "chol" (7)') as string },
    ]);
    expect(refusalsOf({ preprocess, model: { kind: "tensors", tensors: { w: [3] } } }, world)).toMatchObject([
      { path: "preprocess", reason: expect.stringContaining("own trainers") as string },
    ]);
    expect(refusalsOf({ preprocess: {} }, world).map(({ path }) => path)).toEqual(["preprocess.columns.age.clip", "preprocess.columns.chol.clip"]);
  });

  it.each([
    ["softmax-cross-entropy", PAIRS, undefined, 2],
    ["softmax-cross-entropy", ROWS, 7, 7],
    ["bce", PAIRS, undefined, 1],
    ["mse", NUMBERS, undefined, 1],
  ] as const)("fits %s to its labels", (loss, schema, outputs, units) => {
    const model: RunSpecInput["model"] = { kind: "mlp", hidden: [], loss, ...(outputs === undefined ? {} : { outputs }) };
    expect(planOf({ model }, { ...FACTS, parties: [party("ash", 10, 0, schema)] }).model).toMatchObject({ parameters: 5 * units, network: { loss } });
  });

  it("counts nothing as correct where numbers are learnt", () => {
    const metricNames = (schema: DatasetSchema) => planOf({}, { ...FACTS, parties: [party("ash", 10, 5, schema)] }).metricNames;
    expect([metricNames(NUMBERS), metricNames(PAIRS)]).toEqual([["loss"], ["loss", "correct"]]);
  });
});

/** Rows of a table of which some cells are not known. */
function table(missingCells: readonly { readonly column: string; readonly count: number }[], range?: [number, number]): RegisteredSchema {
  const number = { role: "feature", type: "number", ...(range === undefined ? {} : { range }) } as const;
  return {
    kind: "table",
    task: "classification",
    columns: [
      { ...number, name: "age" },
      { ...number, name: "chol" },
      { name: "ill", role: "label", type: "category", categories: ["no", "yes"] },
    ],
    ...(missingCells.length === 0 ? {} : { missingCells: [...missingCells] }),
  };
}

/** Every reason why a well-formed spec cannot be run: what is changed, in which world, and where the refusal points. */
const REFUSALS: readonly (readonly [string, Partial<RunSpecInput>, Partial<CompileFacts>, string, RegExp])[] = [
  [
    "nobody holds the dataset",
    { data: { dataset: "other" } },
    { parties: [{ name: "ash", kernelBuild: "build" }] },
    "data.dataset",
    /No approved node has registered a dataset named "other"/,
  ],
  [
    "a party that is not there",
    { data: { dataset: "rows", parties: ["cedar", "zebra"] } },
    {},
    "data.parties[1]",
    /No approved node is named "zebra"/,
  ],
  [
    "a party that is misspelt",
    { data: { dataset: "rows", parties: ["cedar", "bich", "ash"] }, cohort: { size: 3 } },
    {},
    "data.parties[1]",
    /No approved node is named "bich"/,
  ],
  [
    "a party without the dataset",
    { data: { dataset: "rows", parties: ["ash", "elm"] } },
    { parties: [...FACTS.parties, { name: "elm", kernelBuild: "build" }] },
    "data.parties[1]",
    /"elm" has registered no dataset/,
  ],
  ["schemas that differ", {}, { parties: [...FACTS.parties, party("elm", 9, 0, PAIRS)] }, "data.dataset", /at elm differs from the one at ash/],
  [
    "rows that only a party's own trainer knows",
    {},
    { parties: [party("ash", 3, 0, { kind: "opaque" })] },
    "model.kind",
    /only the parties' own trainers/,
  ],
  [
    "missing cells in columns of declared ranges",
    {},
    { parties: [party("ash", 10, 0, table([{ column: "age", count: 1 }], [0, 120]))] },
    "preprocess",
    /at ash in "age" \(1\)/,
  ],
  [
    "missing cells that nothing deals with",
    {},
    {
      parties: [
        party("ash", 10, 0, table([])),
        party("elm", 20, 0, table([{ column: "age", count: 1 }])),
        party(
          "oak",
          30,
          0,
          table([
            { column: "age", count: 2 },
            { column: "chol", count: 30 },
          ]),
        ),
      ],
    },
    "preprocess",
    /^The dataset "rows" has missing cells at elm in "age" \(1\); at oak in "age" \(2\), "chol" \(30\); nothing can be learnt/,
  ],
  ["inputs that the rows do not have", { model: { kind: "mlp", inputs: 5 } }, {}, "model.inputs", /takes 5 features, the dataset has 4/],
  ["fewer outputs than classes", { model: { kind: "mlp", outputs: 2 } }, {}, "model.outputs", /has 2 outputs, the dataset's labels need 3/],
  [
    "more than one output for a number",
    { model: { kind: "mlp", outputs: 2 } },
    { parties: [party("ash", 3, 0, NUMBERS)] },
    "model.outputs",
    /need 1/,
  ],
  [
    "a loss for classes on numbers",
    { model: { kind: "mlp", loss: "softmax-cross-entropy" } },
    { parties: [party("ash", 3, 0, NUMBERS)] },
    "model.loss",
    /labels that are numbers/,
  ],
  ["a loss for two classes on three", { model: { kind: "mlp", loss: "bce", outputs: 1 } }, {}, "model.loss", /one of 3 classes/],
  [
    "a model beyond any memory",
    { model: { kind: "tensors", tensors: { w: [1_000_000_000, 1_000_000_000] } } },
    {},
    "model",
    /1000000000000000000 parameters/,
  ],
  [
    "batches beyond a kernel's memory",
    {
      model: { kind: "cnn", channels: [32], units: 8, inputShape: [1, 500, 500] },
      train: { optimiser: { kind: "sgd", learningRate: 0.1 }, batchSize: 64 },
    },
    { parties: [party("ash", 3, 0, { ...ROWS, shape: [250_000] })] },
    "train.batchSize",
    /^Training in batches of 64 needs \d+\.\d GiB, and a kernel's memory holds 4; layer0 \(conv2d\) needs the most, \d+\.\d GiB\.$/,
  ],
  [
    "a network beyond a kernel's memory",
    { model: { kind: "mlp", hidden: [8, 30_000, 30_000] } },
    {},
    "model",
    /batches of 32 needs 20\.1 GiB, .*; layer4 \(dense\) needs the most/,
  ],
  ["a cohort larger than the parties", { cohort: { size: 9 } }, {}, "cohort.size", /wants 9 parties, but 3 take part/],
  ["a quorum above the cohort", { cohort: { size: 2, quorum: 3 } }, {}, "cohort.quorum", /quorum of 3 can never be reached with 2/],
  ["another kernel build", {}, { parties: [...FACTS.parties, party("elm", 5, 0, ROWS, "other")] }, "reproducibility", /elm \(other\)/],
  [
    "a kernel build that rounds as its host does",
    {},
    { kernelBuild: "fma-1", parties: [party("elm", 5, 0, ROWS, "fma-1")] },
    "reproducibility",
    /The kernel build fma-1 rounds products as the host does, so the same spec could give other bits elsewhere/,
  ],
  [
    "a weight below a party's rows",
    { encoding: { maxWeight: 29 } },
    {},
    "encoding.maxWeight",
    /A party has 30 rows, more than the largest weight 29/,
  ],
  ["a range that cannot be divided", { encoding: { range: 5e-324 } }, {}, "encoding.range", /The range 5e-324/],
  [
    "weights whose sum is not exact",
    {},
    { parties: [party("ash", 2 ** 51), party("elm", 2 ** 51), party("oak", 2 ** 51), party("yew", 2 ** 51)] },
    "encoding",
    /weights of 4 parties/,
  ],
  [
    "a schedule that ends before the run",
    { train: { optimiser: { kind: "sgd", learningRate: 0.1 }, schedule: { kind: "cosine", length: 4 } } },
    {},
    "train.schedule.length",
    /a learning rate of 0 for round 5/,
  ],
  [
    "a schedule that falls below any number",
    { train: { optimiser: { kind: "sgd", learningRate: 0.1 }, schedule: { kind: "step", every: 1, factor: 1e-100 } } },
    {},
    "train.schedule.factor",
    /a learning rate of 0 for round 5/,
  ],
  [
    "a metric that there is not",
    { evaluate: { metrics: ["correct", "rmse"] } },
    {},
    "evaluate.metrics",
    /report loss and correct, and auc, f1, calibration are worked out on held-out rows; there is no rmse/,
  ],
  [
    "the area under the curve of three classes",
    { evaluate: { metrics: ["loss", "auc", "f1"] } },
    {},
    "evaluate.metrics",
    /^1 metric says nothing about this data: auc .* there are 3 classes\.$/,
  ],
  [
    "metrics of classes where labels are numbers",
    { evaluate: { metrics: ["auc", "f1", "calibration"] } },
    { parties: [party("ash", 10, 5, NUMBERS)] },
    "evaluate.metrics",
    /^3 metrics say nothing about this data: auc .* f1 .* calibration .* gives numbers\.$/,
  ],
  [
    "metrics of probabilities where a model of two classes gives numbers",
    { evaluate: { metrics: ["loss", "auc"] }, model: { kind: "mlp", hidden: [], loss: "mse" } },
    { parties: [party("ash", 10, 5, PAIRS)] },
    "evaluate.metrics",
    /^1 metric says nothing about this data: auc .* gives numbers\.$/,
  ],
];

describe("a refusal", () => {
  it.each(REFUSALS)("%s", (_name, changes, world, path, reason) => {
    const facts = { ...FACTS, ...world };
    const refusals = refusalsOf(changes, facts);
    expect(refusals).toEqual([
      expect.objectContaining({ path, reason: expect.stringMatching(reason) as string, remedy: expect.stringMatching(/\.|\?$/) as string }),
    ]);
    expect(() => compileOrThrow(parseRunSpec({ ...SPEC, ...changes }), facts)).toThrow(
      expect.objectContaining({ code: "SPEC_REFUSED", details: { refusals } }),
    );
    const { edits } = refusals[0]!;
    if (edits !== undefined) expect(compile(parseRunSpec(edited({ ...SPEC, ...changes }, edits)), facts)).toMatchObject({ ok: true });
  });

  it("has edits wherever a value of the spec would mend it", () => {
    const without = REFUSALS.filter(([, changes, world]) => refusalsOf(changes, { ...FACTS, ...world })[0]!.edits === undefined);
    expect(without.map(([name]) => name)).toEqual([
      "nobody holds the dataset",
      "a party that is not there",
      "a party without the dataset",
      "schemas that differ",
      "rows that only a party's own trainer knows",
      "missing cells that nothing deals with",
      "a model beyond any memory",
      "a network beyond a kernel's memory",
      "weights whose sum is not exact",
    ]);
  });

  it("comes with all others, and the edits of all make the spec run", () => {
    const arbitrary = fc.record({
      parties: fc.constantFrom("all" as const, ["ash"], ["ash", "bich", "ceder", "ash"], ["birch", "cedar"]),
      size: fc.oneof(fc.constant("all" as const), fc.integer({ min: 1, max: 6 })),
      quorum: fc.oneof(fc.constant("all" as const), fc.integer({ min: 1, max: 6 })),
      overSelect: fc.integer({ min: 0, max: 4 }),
      inputs: fc.constantFrom(undefined, 4, 9),
      outputs: fc.constantFrom(undefined, 1, 3, 5),
      loss: fc.constantFrom(undefined, "mse" as const, "bce" as const, "softmax-cross-entropy" as const),
      maxWeight: fc.constantFrom("auto" as const, 1, 1000),
      range: fc.constantFrom(1, 5e-324),
      metrics: fc.constantFrom(["loss"], [], ["loss", "f1"], ["rmse", "auc"]),
      build: fc.constantFrom("build", "other"),
      schema: fc.constantFrom(ROWS, PAIRS, NUMBERS),
    });
    const seen = new Set<string>();
    fc.assert(
      fc.property(arbitrary, ({ parties, size, quorum, overSelect, inputs, outputs, loss, maxWeight, range, metrics, build, schema }) => {
        const document = {
          ...SPEC,
          data: { dataset: "rows", parties },
          model: {
            kind: "mlp",
            ...(inputs === undefined ? {} : { inputs }),
            ...(outputs === undefined ? {} : { outputs }),
            ...(loss === undefined ? {} : { loss }),
          },
          cohort: { size, quorum, overSelect },
          encoding: { maxWeight, range },
          evaluate: { metrics },
        };
        const facts = {
          ...FACTS,
          parties: ["ash", "birch", "cedar"].map((name, index) => party(name, 10 + index, index, schema, name === "ash" ? build : "build")),
        };
        const compiled = compile(parseRunSpec(document as unknown as RunSpecInput), facts);
        if (compiled.ok) return;
        for (const { path } of compiled.refusals) seen.add(path);
        const mended = edited(
          document,
          compiled.refusals.flatMap(({ edits = [] }) => edits),
        );
        expect(compile(parseRunSpec(mended), facts)).toMatchObject({ ok: true });
      }),
      { numRuns: 400 },
    );
    expect(seen.size).toBeGreaterThanOrEqual(9);
  });
});
