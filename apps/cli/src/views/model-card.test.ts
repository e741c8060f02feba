import { expect, it } from "vitest";
import { formatModelCard } from "./model-card.ts";

const HASH = "0123456789abcdef".repeat(4);

const CARD = {
  version: 1,
  name: "heart",
  model: {
    ...{ hash: HASH, format: "safetensors", parameters: 1_663_370, tensors: [{}, {}] },
    network: {
      inputLength: 13,
      layers: [{ kind: "dense", units: 16 }, { kind: "relu" }, { kind: "dense", units: 2 }],
      loss: "softmax-cross-entropy",
    },
  },
  training: {
    rounds: 20,
    strategy: { kind: "fedprox", mu: 0.01 },
    train: { epochs: 5, batchSize: 16, optimiser: { kind: "sgd", momentum: 0.9, learningRate: 0.05 }, schedule: { kind: "constant" } },
    ...{ encoding: { bits: 8, range: 0.1, rounding: "stochastic", maxWeight: 400 }, protection: { kind: "none" }, seed: 7 },
  },
  data: {
    dataset: "heart",
    parties: [
      { name: "cleveland", trainExamples: 199, testExamples: 104, contentHash: HASH },
      { name: "va", trainExamples: 130, testExamples: 70, contentHash: HASH },
    ],
  },
  metrics: { fit: { loss: 0.41 }, evaluated: { loss: 0.45, accuracy: 0.8123 } },
  lineage: { run: "run_1", specHash: HASH, planHash: HASH, initialModelHash: null, kernelBuild: "baseline-1" },
  reproducible: true,
  labels: ["Each update is visible to the coordinator."],
};

it("tells at 80 columns where a model comes from, how it was made, from what, and how well it did", () => {
  expect(formatModelCard(CARD)).toBe(
    `
LINEAGE
run            run_1
spec hash      ${HASH}
plan hash      ${HASH}
initial model  drawn from seed 7
kernel build   baseline-1
reproducible   yes

MODEL
format      safetensors
parameters  1,663,370 in 2 tensors
network     13 → dense 16 → relu → dense 2
loss        softmax-cross-entropy

TRAINING
rounds      20
strategy    fedprox (mu 0.01)
train       epochs 5, batchSize 16, optimiser sgd (momentum 0.9,
            learningRate 0.05), schedule constant
encoding    bits 8, range 0.1, rounding stochastic, maxWeight 400
protection  none
seed        7

DATA: heart
PARTY      TRAIN  TEST  CONTENT
cleveland    199   104  0123456789ab
va           130    70  0123456789ab

METRICS
METRIC    IN TRAINING  HELD OUT
loss           0.4100    0.4500
accuracy            -    81.23%

NOTES
Each update is visible to the coordinator.
`.trim(),
  );
});

it("says whose rows were learnt from and how often, who was never learnt from, and that the result depends on who answered", () => {
  const [cleveland, va] = CARD.data.parties;
  const parties = [
    { ...cleveland, rounds: 18, counted: true },
    { ...va, rounds: 0, counted: false },
  ];
  const shown = formatModelCard({ ...CARD, data: { dataset: "heart", trainedRows: 199, parties }, dependsOnAnswers: true });
  expect(shown).toContain("\nreproducible   given the same accepted answers\n");
  expect(shown).toContain(
    `
DATA: heart
PARTY      TRAIN  TEST  ROUNDS  COUNTED  CONTENT
cleveland    199   104   18/20  yes      0123456789ab
va           130    70    0/20  no       0123456789ab
learnt from 199 training rows of 1 party
from no row of va

METRICS`.trimStart(),
  );
  expect(formatModelCard({ ...CARD, dependsOnAnswers: false })).toContain("\nreproducible   yes\n");
  expect(formatModelCard({ ...CARD, reproducible: false, dependsOnAnswers: true })).toContain("\nreproducible   no\n");
});

it("says of which classes figures are", () => {
  const metrics = { fit: {}, evaluated: { auc: 0.9, f1: 0.8, calibration: 0.1 }, subjects: { auc: 'class "ill"', f1: 'class "ill"' } };
  expect(formatModelCard({ metrics })).toBe(
    `
METRICS
METRIC              IN TRAINING  HELD OUT
auc of class "ill"            -    0.9000
f1 of class "ill"             -    0.8000
calibration                   -    0.1000`.trimStart(),
  );
});

it("leaves out what a card does not have", () => {
  expect(formatModelCard({ lineage: { run: "run_1", specHash: 3 }, metrics: null, data: { parties: "none" } })).toBe(
    "LINEAGE\nrun        run_1\nspec hash  3",
  );
  expect(formatModelCard(null)).toBe("");
});

it("shows how rows become inputs: what fills gaps, offsets and divisors, categories by name", () => {
  const number = { type: "number", clip: [0, 600], offset: 246.26404, divisor: 51.83075, indicate: false };
  const data = {
    schema: {
      columns: [
        { name: "thal", categories: ["normal", "fixed", "reversible"] },
        { name: "site", categories: ["a"] },
      ],
    },
    preprocessing: {
      rows: 740,
      columns: [
        { column: "chol", ...number, fill: 239.5, statistics: { missing: 30 } },
        { column: "oldpeak", ...number, clip: [-3, 7], offset: -0.25, divisor: 1, fill: 0, indicate: true, statistics: { missing: 62 } },
        { column: "age", ...number, clip: [0, 120], offset: 0, divisor: 1, fill: null, statistics: { missing: 0 } },
        { column: "thal", type: "category", categories: 4, fill: 2, statistics: { missing: 475 } },
        { column: "site", type: "category", categories: 1, fill: "own", statistics: { missing: 1 } },
      ],
    },
  };
  const shown = formatModelCard({ data, lineage: { preprocessingHash: HASH } });
  expect(shown).toContain(`preprocessing  ${HASH}`);
  expect(shown).toContain(
    `
PREPROCESSING: 740 rows counted
COLUMN       MISSING  FILLED WITH      FEATURES
chol       30, 4.05%  239.5            (x − 246.26) / 51.831, x from 0 to 600
oldpeak    62, 8.38%  0, flagged       x + 0.25, x from -3 to 7
age                0  nothing          x, x from 0 to 120
thal     475, 64.19%  reversible       4: normal, fixed, reversible, other
site        1, 0.14%  its own feature  2: a, missing
`.trim(),
  );
  expect(Math.max(...shown.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(80);
  expect(shown).not.toContain("spread");
  const flat = { column: "price", ...number, fill: null, statistics: { missing: 0, deviation: 0 } };
  expect(formatModelCard({ data: { preprocessing: { rows: 9, columns: [flat] } } })).toContain(
    "\nnot scaled, no spread within the range: price (if values differ, declare a narrower range)",
  );
  expect(formatModelCard({ data: { schema: data.schema } })).not.toContain("PREPROCESSING");
});
