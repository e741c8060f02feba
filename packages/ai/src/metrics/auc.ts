/**
 * Area under the ROC curve: how probable it is that a row of the second class has a higher score than one of the first, a tie counting a
 * half. Source: Hanley, McNeil, "The meaning and use of the area under a receiver operating characteristic (ROC) curve", Radiology 143
 * (1982), which shows that it is the Mann–Whitney statistic U divided by the number of pairs.
 *
 * The score is the probability of the second class, and what leaves a party is how many rows of each class fall into each of 256 equal bins
 * on [0, 1]. Pairs in different bins are counted exactly, pairs within a bin as ties: the area differs from that of the scores themselves by
 * at most half the share of pairs that fall into one bin.
 *
 * @module
 */
import { noCount } from "./counts.ts";
import type { Metric } from "./metric.ts";

/** Equal bins on [0, 1]; a score of 1 is in the last. */
export const SCORE_BINS = 256;

const NAMES: readonly string[] = [0, 1].flatMap((label) => Array.from({ length: SCORE_BINS }, (_, bin) => `auc.${label}.${bin}`));

/** The bin of a score. */
export function scoreBin(score: number): number {
  return Math.max(0, Math.min(SCORE_BINS - 1, Math.floor(score * SCORE_BINS)));
}

export const auc: Metric = {
  name: "auc",
  better: "higher",
  ofClasses: true,
  check({ classes }) {
    if (classes === 2) return undefined;
    return `auc ranks rows by the probability of the second of two classes, and ${classes === undefined ? "the model gives numbers" : `there are ${classes} classes`}.`;
  },
  sums: () => NAMES,
  add({ outputs, width, targets, count }, into) {
    const second = width === 1 ? 0 : 1;
    for (let row = 0; row < count; row += 1) {
      const place = (targets[row] === 1 ? SCORE_BINS : 0) + scoreBin(outputs[row * width + second]!);
      into[place] = into[place]! + 1;
    }
  },
  contradiction(sums, weight) {
    const wrong = noCount(sums, NAMES);
    if (wrong !== undefined) return wrong;
    const total = sums.reduce((sum, count) => sum + count, 0);
    return total === weight ? undefined : `Its histograms of scores count ${total} rows; its weight is ${weight}.`;
  },
  value(sums) {
    let [negatives, positives, pairs] = [0, 0, 0];
    for (let bin = 0; bin < SCORE_BINS; bin += 1) {
      const [negative, positive] = [sums[bin]!, sums[SCORE_BINS + bin]!];
      pairs += positive * (negatives + negative / 2);
      negatives += negative;
      positives += positive;
    }
    return negatives === 0 || positives === 0 ? undefined : pairs / (positives * negatives);
  },
};
