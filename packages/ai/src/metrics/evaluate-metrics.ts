import { metricValues } from "./metric-sums.ts";
import type { MetricTask } from "./metric.ts";
import { createTally } from "./tally.ts";

/**
 * Metrics of any model's predictions, where all rows are at hand: the same figures that a run works out of its parties' sums.
 * @param names `auc`, `f1`, `calibration`
 * @param outputs probabilities, as many for each row: one for each class, or that of the second of two classes alone
 * @param targets index of each row's class
 * @returns figures by name; one that the rows do not tell is left out (the AUC of rows of one class)
 * @throws NexusError USAGE, SPEC_INVALID, TRAINER_FAILED as `createTally` does
 */
export function evaluateMetrics(
  names: readonly string[],
  outputs: ArrayLike<number>,
  targets: ArrayLike<number>,
  task: MetricTask,
): Readonly<Record<string, number>> {
  const tally = createTally(names, task);
  tally.add(outputs, targets);
  return metricValues(names, tally.sums(), tally.weight, task);
}
