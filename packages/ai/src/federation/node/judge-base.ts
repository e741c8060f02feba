import type { Trainer, TrainingTask } from "../../training/index.ts";
import { judgesBase, ridingSums } from "../round/riding-metrics.ts";
import { evaluate } from "./evaluate.ts";
import { checkedWeight } from "./fit.ts";

/**
 * How the model does that a fit starts from, as sums that ride with the update; none where the plan has them apart. A party that cannot judge, or judges on no row, gives no update
 * either: a sum in which some judged nothing would show more of those who did.
 * @throws NexusError TRAINER_FAILED as `evaluate` does
 */
export async function judgeBase(trainer: Trainer, task: TrainingTask): Promise<Readonly<Record<string, number>>> {
  const { spec, plan, round } = task;
  if (!judgesBase(plan, spec.evaluate.every, round)) return ridingSums(plan, undefined);
  const { weight, metrics, heldOutSums } = await evaluate(trainer, task);
  checkedWeight(weight, 1, task, plan.encoding.maxWeight);
  return ridingSums(plan, { weight, metrics: { ...metrics, ...heldOutSums } });
}
