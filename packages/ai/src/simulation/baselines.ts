import { concatenateExamples, type PartyDataset } from "../data/index.ts";
import type { RunPlan, RunSpec } from "../spec/index.ts";
import { NexusError } from "@ciphernx/core/errors";
import { type AloneModel, trainAlone } from "./train-alone.ts";

/** Accuracy (or loss, for regression) on the union of all held-out rows, by how the model was trained. */
export interface Baselines {
  /** Each party on its own rows alone. */
  readonly localOnly: {
    readonly mean: number;
    readonly best: number;
    readonly parties: readonly { readonly party: string; readonly score: number }[];
  };
  /** All rows in one place: the upper bound, which the parties may not have. */
  readonly pooled: number;
}

/**
 * What the parties reach without each other, and what they would reach if they could pool their rows: the same network,
 * optimiser and number of passes as the federated run. Only possible where one machine holds everybody's rows.
 */
export async function baselines(options: {
  readonly spec: RunSpec;
  readonly plan: RunPlan;
  readonly parties: readonly PartyDataset[];
  readonly workers?: number;
}): Promise<Baselines> {
  const { spec, plan, parties } = options;
  const network = plan.model.network;
  const [first] = parties;
  if (network === undefined || first === undefined)
    throw new NexusError("SPEC_REFUSED", "Baselines are trained with the built-in networks on at least one party's rows.");
  const { schema } = first.dataset;
  const test = concatenateExamples(
    schema,
    parties.flatMap(({ dataset }) => dataset.test ?? []),
    { shared: true },
  );
  if (test.count === 0) throw new NexusError("DATA_INVALID", "No party holds out rows to compare models on.");
  const pooled = concatenateExamples(
    schema,
    parties.map(({ dataset }) => dataset.train),
    { shared: true },
  );
  // The longest first, so that the threads end together.
  const rows = [{ name: "pooled", train: pooled }, ...parties.map(({ party, dataset }) => ({ name: party, train: dataset.train }))];
  const [together, ...alone] = await trainAlone({ spec, plan, rows, test, ...(options.workers === undefined ? {} : { workers: options.workers }) });
  const score = ({ judged: { examples, correct, loss } }: AloneModel): number => (network.loss === "mse" ? loss : correct) / examples;
  const scores = alone.map((answer) => ({ party: answer.name, score: score(answer) }));
  return {
    localOnly: {
      mean: scores.reduce((sum, entry) => sum + entry.score, 0) / scores.length,
      best: network.loss === "mse" ? Math.min(...scores.map((entry) => entry.score)) : Math.max(...scores.map((entry) => entry.score)),
      parties: scores,
    },
    pooled: score(together!),
  };
}
