/**
 * The server's step of the adaptive strategies, which differ in the second moment alone: m ← β1·m + (1 − β1)Δ,
 * v ← second(v, Δ²), w ← w + η·m/(√v + τ), where Δ is the weighted mean of the parties' changes. As in the paper there is no
 * bias correction, and v begins at τ² (it asks for v₋₁ ≥ τ²).
 * Source: Reddi, Charles, Zaheer, Garrett, Rush, Konečný, Kumar, McMahan, "Adaptive federated optimization",
 * ICLR 2021 (arXiv 2003.00295), Algorithm 2.
 *
 * @module
 */
import { z } from "zod";
import { askEveryone } from "./ask-everyone.ts";
import type { Strategy } from "./strategy.ts";
import { weightedMeans } from "./weighted-means.ts";

/** What the adaptive strategies have in common in the spec; their own defaults are from §5 and appendix D. */
export const adaptiveOptions = {
  serverLearningRate: z.number().positive().max(1e6),
  beta1: z.number().min(0).lt(1).describe("β1: how slowly the mean of the changes follows"),
  beta2: z.number().min(0).lt(1).describe("β2: how slowly the mean of the squared changes follows"),
  tau: z.number().positive().max(1e6).describe("τ: how little adaptive the step is; the size of a change that counts as large"),
} as const;

export interface AdaptiveServer {
  readonly kind: string;
  /** η */
  readonly serverLearningRate: number;
  /** β1 */
  readonly beta1: number;
  /** τ */
  readonly tau: number;
  /** The next second moment from the last and the square of the mean change: f64 + − × ÷ in fixed order. */
  second(last: number, squared: number): number;
}

export function adaptiveServer({ kind, serverLearningRate, beta1, tau, second }: AdaptiveServer): Strategy {
  const rest = 1 - beta1;
  return {
    kind,
    state: [
      { name: "firstMoment", initial: 0 },
      { name: "secondMoment", initial: tau * tau },
    ],
    configureFit: askEveryone(),
    aggregateFit: (totals) => ({
      metrics: weightedMeans(totals),
      step({ base, meanDelta, state, parameters }) {
        const means = state["firstMoment"]!;
        const squares = state["secondMoment"]!;
        for (let i = 0; i < base.length; i += 1) {
          const delta = meanDelta[i]!;
          const m = beta1 * means[i]! + rest * delta;
          const v = second(squares[i]!, delta * delta);
          means[i] = m;
          squares[i] = v;
          parameters[i] = base[i]! + (serverLearningRate * m) / (Math.sqrt(v) + tau);
        }
      },
    }),
    configureEvaluate: askEveryone(),
    aggregateEvaluate: weightedMeans,
  };
}
