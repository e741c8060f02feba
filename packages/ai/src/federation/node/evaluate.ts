import { NexusError } from "@ciphernx/core/errors";
import { contradictoryMetric, metricTask } from "../../metrics/index.ts";
import type { EvaluateOutcome, Trainer, TrainingTask } from "../../training/index.ts";
import { heldOutSumNames } from "../round/held-out-sums.ts";
import { checkedMetrics, checkedWeight } from "./fit.ts";

/** Judges the model on the party's own held-out rows. @throws NexusError TRAINER_FAILED as `fit` does */
export async function evaluate(trainer: Trainer, task: TrainingTask): Promise<EvaluateOutcome> {
  const judged = await trainer.evaluate(task);
  const weight = checkedWeight(judged.weight, 0, task, task.plan.encoding.maxWeight);
  const metrics = checkedMetrics(judged.metrics, task);
  if (task.plan.heldOutMetrics === undefined) return { weight, metrics };
  return { weight, metrics, heldOutSums: checkedSums(judged.heldOutSums ?? {}, weight, task.plan.heldOutMetrics, task) };
}

/** The sums of the plan's metrics, and no others; all of them such as rows can give. */
function checkedSums(
  sums: Readonly<Record<string, number>>,
  weight: number,
  names: readonly string[],
  { plan, party }: TrainingTask,
): Readonly<Record<string, number>> {
  const problem = contradictoryMetric(names, sums, weight, metricTask(plan.schema, plan.model.network));
  if (problem !== undefined) {
    throw new NexusError("TRAINER_FAILED", `The trainer of ${party} judged the model without what ${names.join(", ")} needs: ${problem}`, {
      hint: "A trainer of your own adds the sums up with `createTally` of @ciphernx/ai/metrics, or the spec leaves the metric out.",
    });
  }
  return Object.fromEntries(heldOutSumNames(plan).map((name) => [name, sums[name]!]));
}
