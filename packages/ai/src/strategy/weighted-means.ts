import type { RoundMeans, RoundTotals } from "./strategy.ts";

/** Sums that are known by another name once divided by the number of examples. */
const MEAN_NAMES: Readonly<Record<string, string>> = { correct: "accuracy" };

/** Turns sums over examples into means: loss / examples is the loss, correct / examples the accuracy. Empty without examples. */
export function weightedMeans({ weight, metrics }: Pick<RoundTotals, "weight" | "metrics">): RoundMeans {
  if (weight <= 0) return {};
  return Object.fromEntries(Object.entries(metrics).map(([name, sum]) => [Object.hasOwn(MEAN_NAMES, name) ? MEAN_NAMES[name] : name, sum / weight]));
}
