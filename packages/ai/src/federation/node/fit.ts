import { NexusError } from "@ciphernx/core/errors";
import { createStrategy } from "../../strategy/index.ts";
import { keptVectors, serverVectors } from "../../strategy/party-values.ts";
import { gatherShared, scatterShared, sharingOf, takeLocal } from "../../strategy/sharing.ts";
import { trainInRound } from "../../training/train-in-round.ts";
import type { Trainer, TrainingTask } from "../../training/trainer.ts";

const TILE = 16_384;

/** What a party learnt in a round, before anything hides it: the change of every parameter that is shared, its weight and its sums. */
export interface Update {
  /** Shared parameters after training minus those before, f32, canonical order; behind them the strategy's vectors. */
  readonly delta: Float32Array;
  /** Examples behind the update. */
  readonly weight: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** Sums of an evaluation beside the metrics, which its report does not repeat. */
  readonly heldOutSums?: Readonly<Record<string, number>>;
  /** What the party keeps to itself, one tensor after the other as `keptTensors` lists them; absent when it keeps nothing. Never sent. */
  readonly kept?: Float32Array<ArrayBuffer>;
}

/** What a party brings to a fit besides rows and model. */
export interface FitOptions {
  /** Where the change goes: it may be the model's own memory, whose use ends here. */
  readonly into?: Float32Array;
  /** What the party kept from its last round that counted. The tensors that are not shared are in the task's parameters already. */
  readonly kept?: Float32Array | undefined;
  /** The strategy's vectors, when the parties are sent them. */
  readonly server?: Readonly<Record<string, Float64Array>> | undefined;
}

/**
 * Trains on the party's own rows, and lets the strategy make of the change what is uploaded.
 * @throws NexusError TRAINER_FAILED when the trainer gives parameters of another length, a weight that is no count, or lacks a metric
 */
export async function fit(trainer: Trainer, task: TrainingTask, options: FitOptions = {}): Promise<Update> {
  const { into = new Float32Array(task.parameters.length) } = options;
  const sharing = sharingOf(task.plan.model);
  const strategy = createStrategy(task.spec.strategy);
  const { party } = strategy;
  const given = { server: serverVectors(options.server, sharing, strategy), kept: keptVectors(options.kept, sharing, strategy) };
  const correction = party?.correction === undefined ? undefined : new Float32Array(task.parameters.length);
  if (correction !== undefined) scatterShared(party!.correction!(given), correction, sharing);

  const trained = await trainer.fit(correction === undefined ? task : { ...task, correction });
  const { parameters, metrics, steps } = trained;
  if (parameters.length !== task.parameters.length) {
    throw new NexusError(
      "TRAINER_FAILED",
      `The trainer of ${task.party} returned ${parameters.length} parameters; the model has ${task.parameters.length}.`,
    );
  }
  const delta = gatherShared(change(task.parameters, parameters, into), sharing);
  const weight = checkedWeight(trained.weight, 1, task, task.plan.encoding.maxWeight);
  const checked = checkedMetrics(metrics, task);
  const facts = {
    train: trainInRound(task.spec.train, task.round, task.spec.rounds),
    mostTrainExamples: task.plan.mostTrainExamples,
  };
  const outcome = party?.prepare({ delta, weight, ...(steps === undefined ? {} : { steps }), given }, facts);
  const kept = joined([takeLocal(parameters, sharing), ...(outcome?.kept ?? [])]);
  return {
    delta: outcome?.vectors === undefined ? delta : joined([delta, ...outcome.vectors]),
    weight,
    metrics: { ...checked, ...outcome?.sums },
    ...(kept.length === 0 ? {} : { kept }),
  };
}

/** Vectors one behind the other. */
function joined(vectors: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const all = new Float32Array(vectors.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const vector of vectors) {
    all.set(vector, at);
    at += vector.length;
  }
  return all;
}

/** Parameters after − before. In tiles, so that the engine meets the loop often enough to compile it. */
function change(before: Float32Array, after: Float32Array, into: Float32Array): Float32Array {
  for (let begin = 0; begin < into.length; begin += TILE) {
    subtract(before, after, into, begin, Math.min(into.length, begin + TILE));
  }
  return into;
}

function subtract(before: Float32Array, after: Float32Array, into: Float32Array, begin: number, end: number): void {
  for (let i = begin; i < end; i += 1) into[i] = after[i]! - before[i]!;
}

/** A weight is a whole number of examples within its bounds. */
export function checkedWeight(weight: number, least: number, task: Pick<TrainingTask, "party">, most: number): number {
  if (Number.isSafeInteger(weight) && weight >= least && weight <= most) return weight;
  throw new NexusError(
    "TRAINER_FAILED",
    `The trainer of ${task.party} reported ${weight} examples; a weight is a whole number from ${least} to ${most}.`,
  );
}

/** The sums that the plan names, and no others; all of them finite. */
export function checkedMetrics(metrics: Readonly<Record<string, number>>, task: TrainingTask): Readonly<Record<string, number>> {
  return Object.fromEntries(
    task.plan.metricNames.map((name) => {
      const value = metrics[name];
      if (value === undefined) {
        throw new NexusError(
          "TRAINER_FAILED",
          `The trainer of ${task.party} reported no sum "${name}"; the spec wants ${task.plan.metricNames.join(", ")}.`,
          { hint: "Return that sum from the trainer, or change evaluate.metrics in the spec." },
        );
      }
      if (!Number.isFinite(value)) {
        // The remedy is part of the message: that is what reaches whoever started the run.
        throw new NexusError(
          "TRAINER_FAILED",
          `The training of ${task.party} diverged: the sum "${name}" is ${value}. A lower learning rate mends that, or inputs and targets of a smaller scale.`,
          { hint: "Lower train.optimiser.learningRate; `preprocess` scales columns." },
        );
      }
      return [name, value];
    }),
  );
}
