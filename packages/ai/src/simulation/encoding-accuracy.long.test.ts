import { describe, expect, it } from "vitest";
import { concatenateExamples, type PartyDataset, splitDataset } from "../data/index.ts";
import { loadSource } from "../data/node/index.ts";
import { fit } from "../federation/node/fit.ts";
import { initialModel } from "../models/index.ts";
import { createNetwork, loadKernel } from "../nn/index.ts";
import { compileOrThrow, parseRunSpec, type RunSpec } from "../spec/index.ts";
import { flattenParameters, parameterLayout } from "../tensor/index.ts";
import { networkTrainer } from "../training/index.ts";
import { simulate, simulatedFacts } from "./index.ts";

const PARTIES = 6;

function specOf(bits: 8 | 16): RunSpec {
  return parseRunSpec({
    ...{ version: 1, name: "accuracy", seed: 5, data: { dataset: "mnist" }, model: { kind: "mlp", hidden: [32] }, rounds: 8 },
    train: { optimiser: { kind: "sgd", learningRate: 0.1 }, batchSize: 32 },
    encoding: { range: 1, bits },
  });
}

/** FedAvg in floating point: weighted means of changes in f32, neither encoded nor masked, round after round; and its share of right answers on all held-out rows. */
async function inFloatingPoint(spec: RunSpec, parties: readonly PartyDataset[]): Promise<number> {
  const kernel = await loadKernel();
  const plan = compileOrThrow(spec, simulatedFacts(parties, kernel.build));
  const layout = parameterLayout(plan.model.tensors.map(({ name, shape }) => [name, shape]));
  const datasets = new Map(parties.map(({ party, dataset }) => [party, dataset]));
  const trainer = networkTrainer({ kernel, sync: true, dataset: (_name, party) => Promise.resolve(datasets.get(party)!) });
  const parameters = flattenParameters(initialModel(plan, spec.seed), layout);
  for (let round = 1; round <= spec.rounds; round += 1) {
    const sum = new Float64Array(layout.length);
    let weights = 0;
    for (const planned of plan.parties) {
      const task = { parameters, layout, spec, plan, party: planned.name, planned, round, config: {} };
      const { delta, weight } = await fit(trainer, task, { into: new Float32Array(layout.length), kept: undefined, server: undefined });
      delta.forEach((change, index) => (sum[index]! += weight * change));
      weights += weight;
    }
    sum.forEach((change, index) => (parameters[index]! += change / weights));
  }
  const { schema } = parties[0]!.dataset;
  const test = concatenateExamples(
    schema,
    parties.flatMap(({ dataset }) => dataset.test ?? []),
  );
  const network = createNetwork(kernel, plan.model.network!, { maxBatch: spec.train.batchSize });
  network.load(parameters);
  const { correct, examples } = network.evaluateSync(test);
  return correct / examples;
}

describe("updates of 16 bits under secure aggregation", () => {
  it("learn digits to within half a point of floating point", { timeout: 120_000 }, async () => {
    const source = await loadSource("mnist", {});
    const parties = splitDataset(source, { parties: PARTIES, partition: { kind: "iid" }, seed: 5, shared: true, examplesPerParty: 1_000 });
    const accuracyOf = async (bits: 8 | 16) => (await simulate({ spec: specOf(bits), parties })).rounds.at(-1)!.evaluated!["accuracy"]!;
    const reference = await inFloatingPoint(specOf(16), parties);
    expect(reference).toBeGreaterThan(0.85);
    expect(Math.abs((await accuracyOf(16)) - reference)).toBeLessThanOrEqual(0.005);
    // So few bits are told from floating point by this test.
    expect(Math.abs((await accuracyOf(8)) - reference)).toBeGreaterThan(0.005);
  });
});
