/**
 * FedAdam: m ← β1·m + (1 − β1)Δ, v ← β2·v + (1 − β2)Δ², w ← w + η·m/(√v + τ), where Δ is the weighted mean of the
 * parties' changes. As in the paper there is no bias correction, and v begins at τ² (it asks for v₋₁ ≥ τ²).
 * Source: Reddi, Charles, Zaheer, Garrett, Rush, Konečný, Kumar, McMahan, "Adaptive federated optimization",
 * ICLR 2021, Algorithm 2; defaults of β1, β2 and τ from its §5 and appendix D.
 *
 * @module
 */
import { z } from "zod";
import { askEveryone } from "./ask-everyone.ts";
import type { Strategy } from "./strategy.ts";
import { weightedMeans } from "./weighted-means.ts";

export const fedAdamSchema = z
  .strictObject({
    kind: z.literal("fedadam"),
    serverLearningRate: z.number().positive().max(1e6).default(0.01).describe("η: about the largest change of a parameter in a round"),
    beta1: z.number().min(0).lt(1).default(0.9).describe("β1: how slowly the mean of the changes follows"),
    beta2: z.number().min(0).lt(1).default(0.99).describe("β2: how slowly the mean of the squared changes follows"),
    tau: z.number().positive().max(1e6).default(0.001).describe("τ: how little adaptive the step is; the size of a change that counts as large"),
  })
  .describe("FedAdam: FedAvg with an adaptive server step (Reddi et al. 2021)");

export function fedAdam({ serverLearningRate, beta1, beta2, tau }: z.output<typeof fedAdamSchema>): Strategy {
  return {
    kind: "fedadam",
    state: [
      { name: "firstMoment", initial: 0 },
      { name: "secondMoment", initial: tau * tau },
    ],
    configureFit: askEveryone(),
    aggregateFit: (totals) => ({
      metrics: weightedMeans(totals),
      step({ base, meanDelta, state, parameters }) {
        const first = state["firstMoment"]!;
        const second = state["secondMoment"]!;
        const rest1 = 1 - beta1;
        const rest2 = 1 - beta2;
        for (let i = 0; i < base.length; i += 1) {
          const delta = meanDelta[i]!;
          const m = beta1 * first[i]! + rest1 * delta;
          const v = beta2 * second[i]! + rest2 * (delta * delta);
          first[i] = m;
          second[i] = v;
          parameters[i] = base[i]! + (serverLearningRate * m) / (Math.sqrt(v) + tau);
        }
      },
    }),
    configureEvaluate: askEveryone(),
    aggregateEvaluate: weightedMeans,
  };
}
