/**
 * Calibration: how far a model's confidence is from how often it is right. Expected calibration error: rows are put into 10 equal bins by the
 * probability of their likelier class, and it is Σ (rows of the bin / rows) · |share that is right − mean confidence|; 0 is perfect.
 * Source: Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks", ICML 2017 (arXiv 1706.04599), section 2; bin m holds
 * confidences in ((m − 1)/10, m/10], as there.
 *
 * @module
 */
import { noCount } from "./counts.ts";
import { likeliestClass } from "./likeliest-class.ts";
import type { Metric } from "./metric.ts";

const BINS = 10;
/** Sums are uploaded in steps of 2^−20, so that a sum of confidences may be off by half of one. */
const STEP = 2 ** -20;

const bins = Array.from({ length: BINS }, (_, bin) => bin);
const COUNT_NAMES: readonly string[] = [...bins.map((bin) => `calibration.count.${bin}`), ...bins.map((bin) => `calibration.correct.${bin}`)];
/** Counts, correct ones, confidences: the sums of a kind lie together. */
const NAMES: readonly string[] = [...COUNT_NAMES, ...bins.map((bin) => `calibration.confidence.${bin}`)];

function binOf(confidence: number): number {
  return Math.max(0, Math.min(BINS, Math.ceil(confidence * BINS)) - 1);
}

export const calibration: Metric = {
  name: "calibration",
  better: "lower",
  check: ({ classes }) =>
    classes === undefined ? "calibration compares probabilities of classes with what is right, and the model gives numbers." : undefined,
  sums: () => NAMES,
  add(examples, into) {
    const { targets, count } = examples;
    for (let row = 0; row < count; row += 1) {
      const likeliest = likeliestClass(examples, row);
      const confidence = Math.min(1, likeliest.confidence);
      const bin = binOf(confidence);
      into[bin] = into[bin]! + 1;
      if (likeliest.index === targets[row]) into[BINS + bin] = into[BINS + bin]! + 1;
      into[2 * BINS + bin] = into[2 * BINS + bin]! + confidence;
    }
  },
  contradiction(sums, weight) {
    const wrong = noCount(sums.subarray(0, 2 * BINS), COUNT_NAMES);
    if (wrong !== undefined) return wrong;
    const total = sums.subarray(0, BINS).reduce((sum, count) => sum + count, 0);
    if (total !== weight) return `Its bins of confidence count ${total} rows; its weight is ${weight}.`;
    for (const bin of bins) {
      const [count, correct, confidence] = [sums[bin]!, sums[BINS + bin]!, sums[2 * BINS + bin]!];
      if (correct > count) return `Of ${count} rows with confidences in bin ${bin}, it says that ${correct} are right.`;
      if (confidence >= (count * bin) / BINS - STEP && confidence <= (count * (bin + 1)) / BINS + STEP) continue;
      return `The confidences of ${count} rows in bin ${bin} add up to ${confidence}, which they cannot.`;
    }
    return undefined;
  },
  value(sums, weight) {
    if (weight <= 0) return undefined;
    let error = 0;
    for (const bin of bins) {
      const difference = sums[BINS + bin]! - sums[2 * BINS + bin]!;
      error += difference < 0 ? 0 - difference : difference;
    }
    return error / weight;
  },
};
