import { findMetric } from "@ciphernx/ai/metrics";

/** Words of which less is better; of every other figure more is. A party's own trainer names its sums as it likes, so this goes by words. */
const LESS_IS_BETTER: ReadonlySet<string> = new Set(["loss", "error", "errors", "mse", "mae", "rmse", "brier", "ece", "calibration", "perplexity"]);

export type Better = "lower" | "higher";

/** A figure and the round that had it. */
export interface RoundFigure {
  readonly round: number;
  readonly value: number;
}

/** Which way a figure such as `evaluated.auc` or `fit.log_loss` is better: as the metric says, else by the words of its name. */
export function betterWay(name: string): Better {
  const known = findMetric(name.slice(name.indexOf(".") + 1));
  if (known !== undefined) return known.better;
  const words = name.split(/[._]|(?<=[a-z0-9])(?=[A-Z])/).map((word) => word.toLowerCase());
  return words.some((word) => LESS_IS_BETTER.has(word)) ? "lower" : "higher";
}

/** The best of some figures; the first of equals; undefined where there is none. */
export function bestFigure(figures: readonly RoundFigure[], better: Better): RoundFigure | undefined {
  return figures.reduce<RoundFigure | undefined>((best, figure) => {
    if (best === undefined) return figure;
    return (better === "lower" ? figure.value < best.value : figure.value > best.value) ? figure : best;
  }, undefined);
}
