import { NexusError } from "@ciphernx/core/errors";
import type { Examples } from "../data/index.ts";
import { fitPreprocessing, prepareExamples, type Preprocessing, rowStatistics } from "../data/preprocess/index.ts";
import type { RunPlan, RunSpec } from "../spec/index.ts";
import { defaultWorkers, startWorkerPool } from "./worker-pool.ts";

/** Rows that somebody has to himself, under the name that his random streams have. */
export interface OwnRows {
  readonly name: string;
  readonly train: Examples;
}

/** A model that was trained without anybody else. */
export interface AloneModel {
  readonly name: string;
  /** In canonical order. */
  readonly parameters: Float32Array<ArrayBuffer>;
  /** How rows become its inputs, by the statistics of its own rows; null where the spec prepares nothing. */
  readonly preprocessing: Preprocessing | null;
  /** Sums over the test rows. */
  readonly judged: { readonly examples: number; readonly loss: number; readonly correct: number };
}

export interface TrainAloneOptions {
  readonly spec: RunSpec;
  readonly plan: RunPlan;
  /** The first is begun first: put the largest there. */
  readonly rows: readonly OwnRows[];
  /** What every model is judged on. */
  readonly test: Examples;
  readonly workers?: number;
}

/**
 * Trains the spec's network on each of these rows alone, with as many passes over them as the federated run makes, and judges it.
 * A column of which somebody knows nothing is the same in all of his rows, instead of a reason to fail.
 * @throws NexusError SPEC_REFUSED when the model is none of the built-in networks
 */
export async function trainAlone({ spec, plan, rows, test, workers }: TrainAloneOptions): Promise<readonly AloneModel[]> {
  const { network } = plan.model;
  if (network === undefined) throw new NexusError("SPEC_REFUSED", "Only the built-in networks can be trained here.");
  const prepared = rows.map(({ name, train }) => ({ name, train, preprocessing: ownPreprocessing(plan, train) }));
  const jobs = prepared.map(({ name, train, preprocessing }) => ({
    ...{ name, spec, network },
    train: preprocessing === null ? train : prepareExamples(preprocessing, train, name),
    test: preprocessing === null ? test : prepareExamples(preprocessing, test, name),
  }));
  await using pool = await startWorkerPool([], workers ?? defaultWorkers(jobs.length));
  const answers = await pool.trainAlone(jobs);
  return answers.map(({ name, parameters, examples, loss, correct }, index) => ({
    ...{ name, parameters, preprocessing: prepared[index]!.preprocessing },
    judged: { examples, loss, correct },
  }));
}

function ownPreprocessing({ preprocess }: RunPlan, train: Examples): Preprocessing | null {
  if (preprocess === undefined) return null;
  const { steps } = preprocess;
  return fitPreprocessing(steps, rowStatistics(steps, train, train.count), train.count, train.count, "constant");
}
