import { plural } from "@ciphernx/core/errors";
import type { RoundMetrics } from "./metrics.ts";

/** A round as far as it tells whether training goes well. */
export interface RoundSigns extends RoundMetrics {
  /** Coordinates of updates that were clipped to the declared range. */
  readonly saturated: number;
}

/** What is wrong with a round's training and what may be done about it; undefined where nothing shows. */
export function explainTrouble({ training, heldOut, saturated }: RoundSigns): string | undefined {
  const signs = [
    // Not a number and infinities travel as null.
    ...([training, heldOut ?? {}].some((metrics) => "loss" in metrics && !Number.isFinite(metrics["loss"]))
      ? ["the loss is not a finite number"]
      : []),
    ...(saturated > 0 ? [`${plural(saturated, "value")} of the parties' updates went beyond \`encoding.range\` and were clipped to it`] : []),
  ];
  if (signs.length === 0) return undefined;
  const remedies = ["lower `train.optimiser.learningRate`", "scale inputs and target", ...(saturated > 0 ? ["or raise `encoding.range`"] : [])];
  return `Training may be diverging: ${signs.join("; ")}. To mend it, ${remedies.join(", ")}.`;
}
