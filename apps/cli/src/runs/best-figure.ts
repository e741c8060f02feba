/** Words of which less is better; of every other figure more is. A metric's name is the spec's, so this goes by its words. */
const LESS_IS_BETTER: ReadonlySet<string> = new Set(["loss", "error", "errors", "mse", "mae", "rmse", "brier", "ece", "calibration", "perplexity"]);

export type Better = "lower" | "higher";

/** A figure and the round that had it. */
export interface RoundFigure {
  readonly round: number;
  readonly value: number;
}

/** Which way a figure such as `evaluated.log_loss` or `fit.accuracy` is better, by the words of its name. */
export function betterWay(name: string): Better {
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
