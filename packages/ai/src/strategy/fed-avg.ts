/**
 * Federated averaging: the new model is the mean of the parties' models, weighted by their examples.
 * Source: McMahan, Moore, Ramage, Hampson, Agüera y Arcas, "Communication-efficient learning of deep networks from
 * decentralized data", AISTATS 2017, Algorithm 1.
 *
 * @module
 */
import { z } from "zod";
import { askEveryone } from "./ask-everyone.ts";
import { everyStrategy } from "./local-tensors.ts";
import type { StepTile, Strategy } from "./strategy.ts";
import { weightedMeans } from "./weighted-means.ts";

export const fedAvgSchema = z
  .strictObject({ kind: z.literal("fedavg"), ...everyStrategy })
  .describe("FedAvg: the mean of the parties' models, weighted by their examples (McMahan et al. 2017)");

/** w ← w + Δ, Δ the weighted mean of the parties' changes. */
export function addMeanDelta({ base, meanDelta, parameters }: StepTile): void {
  for (let i = 0; i < base.length; i += 1) parameters[i] = base[i]! + meanDelta[i]!;
}

export function fedAvg(_options: z.output<typeof fedAvgSchema>): Strategy {
  return {
    kind: "fedavg",
    state: [],
    configureFit: askEveryone(),
    aggregateFit: (totals) => ({ metrics: weightedMeans(totals), step: addMeanDelta }),
    configureEvaluate: askEveryone(),
    aggregateEvaluate: weightedMeans,
  };
}
