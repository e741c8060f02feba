/**
 * Every strategy on the same parties: MNIST dealt to ten by Dirichlet(0.1), so that most see a few digits only, at most 800 rows each; an
 * MLP 784-64-10, five passes a round, everybody in every round, each strategy with its defaults. Accuracy is on MNIST's own test rows.
 * Nothing here depends on the machine: the same seed gives the same table.
 *
 * @module
 */
import { splitDataset } from "@ciphernx/ai/data";
import { loadSource } from "@ciphernx/ai/data/node";
import { simulate } from "@ciphernx/ai/simulation";
import { parseRunSpec, type RunSpecInput } from "@ciphernx/ai/spec";
import type { Figure, Outcome } from "./figures/figure.ts";

export const name = "strategies";

const PARTIES = 10;
const ROUNDS = 25;
const EXAMPLES_PER_PARTY = 800;
/** The accuracy whose first round is told. */
const GOAL = 0.85;

const SPEC: RunSpecInput = {
  version: 1,
  name: "strategies",
  seed: 1,
  data: { dataset: "mnist" },
  model: { kind: "mlp", hidden: [64] },
  train: { optimiser: { kind: "sgd", learningRate: 0.05 }, batchSize: 32, epochs: 5 },
  protection: { kind: "none" },
  rounds: ROUNDS,
  encoding: { range: 4 },
};

/**
 * The table's rows. In the last one each party judges the model with its own first layer, on held-out rows of all digits: what a layer
 * that fits the party's few digits is worst at.
 */
const STRATEGIES: readonly (readonly [string, NonNullable<RunSpecInput["strategy"]>])[] = [
  ["fedavg", { kind: "fedavg" }],
  ["fedprox", { kind: "fedprox" }],
  ["fedavgm", { kind: "fedavgm" }],
  ["fedadagrad", { kind: "fedadagrad" }],
  ["fedadam", { kind: "fedadam" }],
  ["fedyogi", { kind: "fedyogi" }],
  ["fednova", { kind: "fednova" }],
  ["scaffold", { kind: "scaffold" }],
  ["fedavg, first layer local", { kind: "fedavg", local: ["layer0.*"] }],
];

export async function run(): Promise<Outcome> {
  const parties = splitDataset(await loadSource("mnist", {}), {
    parties: PARTIES,
    partition: { kind: "dirichlet", alpha: 0.1 },
    seed: 1,
    shared: true,
    examplesPerParty: EXAMPLES_PER_PARTY,
  });
  const figures: Figure[] = [];
  for (const [label, strategy] of STRATEGIES) {
    const { rounds } = await simulate({ spec: parseRunSpec({ ...SPEC, strategy }), parties });
    const accuracies = rounds.map(({ evaluated }) => evaluated?.["accuracy"] ?? 0);
    const reached = accuracies.findIndex((accuracy) => accuracy >= GOAL);
    figures.push({ name: `${label}: accuracy after ${ROUNDS} rounds`, value: 100 * accuracies.at(-1)!, unit: "%" });
    if (reached >= 0) figures.push({ name: `${label}: first round of ${100 * GOAL}%`, value: reached + 1, unit: "rounds" });
  }
  return { figures };
}
