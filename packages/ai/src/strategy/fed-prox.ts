/**
 * FedProx: the parties add (mu/2) × ‖w − w_round‖² to their loss, which keeps them near the common model when
 * their data differ; the server averages as FedAvg does.
 * Source: Li, Sahu, Zaheer, Sanjabi, Talwalkar, Smith, "Federated optimization in heterogeneous networks",
 * MLSys 2020, Algorithm 2.
 *
 * @module
 */
import { z } from "zod";
import { askEveryone } from "./ask-everyone.ts";
import { addMeanDelta } from "./fed-avg.ts";
import { everyStrategy } from "./local-tensors.ts";
import type { Strategy } from "./strategy.ts";
import { weightedMeans } from "./weighted-means.ts";

export const fedProxSchema = z
  .strictObject({
    kind: z.literal("fedprox"),
    mu: z.number().min(0).max(1e6).default(0.01).describe("Strength of the pull towards the round's model; 0 is FedAvg"),
    ...everyStrategy,
  })
  .describe("FedProx: FedAvg whose parties are held near the common model (Li et al. 2020)");

export function fedProx({ mu }: z.output<typeof fedProxSchema>): Strategy {
  return {
    kind: "fedprox",
    state: [],
    configureFit: askEveryone({ proximalMu: mu }),
    aggregateFit: (totals) => ({ metrics: weightedMeans(totals), step: addMeanDelta }),
    configureEvaluate: askEveryone(),
    aggregateEvaluate: weightedMeans,
  };
}
