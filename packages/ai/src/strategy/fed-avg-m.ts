/**
 * FedAvg with server momentum: v ← βv + Δ, w ← w + ηv, where Δ is the weighted mean of the parties' changes
 * (after − before; the paper writes the opposite sign and subtracts).
 * Source: Hsu, Qi, Brown, "Measuring the effects of non-identical data distribution for federated visual
 * classification", 2019, §4.3. The paper has η = 1.
 *
 * @module
 */
import { z } from "zod";
import { askEveryone } from "./ask-everyone.ts";
import { everyStrategy } from "./local-tensors.ts";
import type { Strategy } from "./strategy.ts";
import { weightedMeans } from "./weighted-means.ts";

export const fedAvgMSchema = z
  .strictObject({
    kind: z.literal("fedavgm"),
    momentum: z.number().min(0).lt(1).default(0.9).describe("β: part of the last step that is taken again"),
    serverLearningRate: z.number().positive().max(1e6).default(1).describe("η: how far the server goes along the momentum"),
    ...everyStrategy,
  })
  .describe("FedAvgM: FedAvg with server momentum (Hsu et al. 2019)");

export function fedAvgM({ momentum, serverLearningRate }: z.output<typeof fedAvgMSchema>): Strategy {
  return {
    kind: "fedavgm",
    state: [{ name: "momentum", initial: 0 }],
    configureFit: askEveryone(),
    aggregateFit: (totals) => ({
      metrics: weightedMeans(totals),
      step({ base, meanDelta, state, parameters }) {
        const velocity = state["momentum"]!;
        for (let i = 0; i < base.length; i += 1) {
          const v = momentum * velocity[i]! + meanDelta[i]!;
          velocity[i] = v;
          parameters[i] = base[i]! + serverLearningRate * v;
        }
      },
    }),
    configureEvaluate: askEveryone(),
    aggregateEvaluate: weightedMeans,
  };
}
