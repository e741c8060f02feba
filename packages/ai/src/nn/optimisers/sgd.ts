import { checkSetting } from "./check.ts";
import type { OptimiserDefinition } from "./optimiser.ts";

/**
 * Stochastic gradient descent: g ← gradient + weightDecay·w + proximalMu·(w − w₀), v ← momentum·v + g,
 * w ← w − learningRate·v (heavy ball, not Nesterov). Momentum and weight decay default to 0.
 */
export interface SgdSpec {
  readonly kind: "sgd";
  readonly learningRate: number;
  readonly momentum?: number;
  readonly weightDecay?: number;
}

export const sgd: OptimiserDefinition<SgdSpec> = {
  kind: "sgd",
  check({ learningRate, momentum = 0, weightDecay = 0 }) {
    checkSetting("learningRate", learningRate, 0, Infinity);
    checkSetting("momentum", momentum, 0, 1);
    checkSetting("weightDecay", weightDecay, 0, Infinity);
  },
  stateVectors: ({ momentum = 0 }) => (momentum === 0 ? 0 : 1),
  bind({ learningRate, momentum = 0, weightDecay = 0 }, { kernel, count, weights, gradient, state, anchor, proximalMu }) {
    return (_step, rateFactor) =>
      kernel.sgdStep(weights, gradient, state[0], anchor, count, learningRate * rateFactor, momentum, weightDecay, proximalMu);
  },
};
