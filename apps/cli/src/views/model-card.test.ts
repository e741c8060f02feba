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

it("leaves out what a card does not have", () => {
  expect(formatModelCard({ lineage: { run: "run_1", specHash: 3 }, metrics: null, data: { parties: "none" } })).toBe(
    "LINEAGE\nrun        run_1\nspec hash  3",
  );
  expect(formatModelCard(null)).toBe("");
});
