import { NexusError } from "@ciphernx/core/errors";
import type { Trainer, TrainingTask } from "../../training/trainer.ts";

const TILE = 16_384;

/** What a party learnt in a round, before anything hides it: the change of every parameter, its weight and its sums. */
export interface Update {
  /** Parameters after training minus parameters before, f32, canonical order. */
  readonly delta: Float32Array;
  /** Examples behind the update. */
  readonly weight: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/**
 * Trains on the party's own rows. `into` is where the change goes: it may be the model's own memory, whose use ends here.
 * @throws NexusError TRAINER_FAILED when the trainer gives parameters of another length, a weight that is no count, or lacks a metric
 */
export async function fit(trainer: Trainer, task: TrainingTask, into: Float32Array = new Float32Array(task.parameters.length)): Promise<Update> {
  const { parameters, weight, metrics } = await trainer.fit(task);
  if (parameters.length !== task.parameters.length) {
    throw new NexusError(
      "TRAINER_FAILED",
      `The trainer of ${task.party} returned ${parameters.length} parameters; the model has ${task.parameters.length}.`,
    );
  }
  return {
    delta: change(task.parameters, parameters, into),
    weight: checkedWeight(weight, 1, task, task.plan.encoding.maxWeight),
    metrics: checkedMetrics(metrics, task),
  };
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
export function checkedWeight(weight: number, least: number, task: TrainingTask, most: number): number {
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
      if (value === undefined || !Number.isFinite(value)) {
        throw new NexusError(
          "TRAINER_FAILED",
          `The trainer of ${task.party} reported ${value === undefined ? "no" : "a not finite"} sum "${name}"; the spec wants ${task.plan.metricNames.join(", ")}.`,
          { hint: "Return that sum from the trainer, or change evaluate.metrics in the spec." },
        );
      }
      return [name, value];
    }),
  );
}
