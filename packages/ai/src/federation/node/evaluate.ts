import type { EvaluateOutcome, Trainer, TrainingTask } from "../../training/index.ts";
import { checkedMetrics, checkedWeight } from "./fit.ts";

/** Judges the model on the party's own held-out rows. @throws NexusError TRAINER_FAILED as `fit` does */
export async function evaluate(trainer: Trainer, task: TrainingTask): Promise<EvaluateOutcome> {
  const { weight, metrics } = await trainer.evaluate(task);
  return { weight: checkedWeight(weight, 0, task, task.plan.encoding.maxWeight), metrics: checkedMetrics(metrics, task) };
}
