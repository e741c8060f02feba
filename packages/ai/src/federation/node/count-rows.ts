import { NexusError } from "@ciphernx/core/errors";
import { statisticsLength } from "../../data/preprocess/index.ts";
import type { StatisticsTask, Trainer } from "../../training/index.ts";
import { checkedWeight, type Update } from "./fit.ts";

/**
 * Counts the party's own training rows for the statistics of all: an update without parameters, whose sums have their places for names.
 * @throws NexusError TRAINER_FAILED when the trainer counts no rows, or not what the plan asks for
 */
export async function countRows(trainer: Trainer, task: StatisticsTask): Promise<Pick<Update, "delta" | "weight" | "metrics">> {
  const wrong = (what: string) => new NexusError("TRAINER_FAILED", `The trainer of ${task.party} ${what}.`);
  if (trainer.statistics === undefined) throw wrong("cannot count rows, as the run's preprocess section asks for");
  const { weight, sums } = await trainer.statistics(task);
  const wanted = statisticsLength(task.plan.preprocess?.steps ?? []);
  if (sums.length !== wanted) throw wrong(`gave ${sums.length} statistics; the plan has ${wanted}`);
  return {
    delta: new Float32Array(),
    weight: checkedWeight(weight, 1, task, task.plan.encoding.maxWeight),
    metrics: Object.fromEntries(Array.from(sums, (sum, index) => [index, sum])),
  };
}
