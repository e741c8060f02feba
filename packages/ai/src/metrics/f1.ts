/**
 * F1: the harmonic mean of precision and recall, 2·tp / (2·tp + fp + fn), a row being taken for its likelier class. Source: van Rijsbergen,
 * "Information retrieval", 2nd edition 1979, chapter 7 (1 − E with α = ½).
 *
 * Of two classes it is that of the second, the positive one. Of more it is the mean of the F1 of each class that occurs among the rows
 * ("averaged F1" of Opitz, Burst, "Macro F1 and macro F1", arXiv 1911.03347).
 *
 * @module
 */
import { noCount } from "./counts.ts";
import { likeliestClass } from "./likeliest-class.ts";
import type { Metric, MetricTask } from "./metric.ts";

/** Sums of a class: rows of it that were found, rows of others that were taken for it, rows of it that were not found. */
const COUNTS = ["tp", "fp", "fn"] as const;

/** Classes that are counted, in order. */
function counted({ classes = 0 }: MetricTask): readonly number[] {
  return classes === 2 ? [1] : Array.from({ length: classes }, (_, index) => index);
}

function sumNames(task: MetricTask): readonly string[] {
  return counted(task).flatMap((index) => COUNTS.map((what) => `f1.${what}.${index}`));
}

/** The sums of each class that is counted. */
function* byClass(sums: Float64Array): Generator<{ readonly tp: number; readonly fp: number; readonly fn: number }> {
  for (let at = 0; at < sums.length; at += COUNTS.length) yield { tp: sums[at]!, fp: sums[at + 1]!, fn: sums[at + 2]! };
}

export const f1: Metric = {
  name: "f1",
  better: "higher",
  ofClasses: true,
  check: ({ classes }) => (classes === undefined ? "f1 counts rows that are taken for their class, and the model gives numbers." : undefined),
  sums: sumNames,
  add(examples, into, task) {
    const { targets, count } = examples;
    const first = counted(task)[0] ?? 0;
    const increment = (index: number, what: number): void => {
      const place = (index - first) * COUNTS.length + what;
      if (place >= 0 && place < into.length) into[place] = into[place]! + 1;
    };
    for (let row = 0; row < count; row += 1) {
      const label = targets[row]!;
      const { index } = likeliestClass(examples, row);
      if (index === label) increment(label, 0);
      else {
        increment(index, 1);
        increment(label, 2);
      }
    }
  },
  contradiction(sums, weight, task) {
    const wrong = noCount(sums, sumNames(task));
    if (wrong !== undefined) return wrong;
    let [ofClasses, taken, all] = [0, 0, 0];
    for (const { tp, fp, fn } of byClass(sums)) {
      ofClasses += tp + fn;
      taken += tp + fp;
      all += tp + fp + fn;
    }
    if (task.classes === 2 ? all <= weight : ofClasses === weight && taken <= weight) return undefined;
    return `Its counts for f1 are of ${Math.max(ofClasses, taken, task.classes === 2 ? all : 0)} rows; its weight is ${weight}.`;
  },
  value(sums, _weight, { classes }) {
    let [total, occurring] = [0, 0];
    for (const { tp, fp, fn } of byClass(sums)) {
      // Of two classes the positive one counts even where no row is of it: taking rows for it is then wrong each time.
      if (classes === 2 ? tp + fp + fn === 0 : tp + fn === 0) continue;
      total += (2 * tp) / (2 * tp + fp + fn);
      occurring += 1;
    }
    return occurring === 0 ? undefined : total / occurring;
  },
};
