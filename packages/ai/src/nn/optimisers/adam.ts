import { checkSetting } from "./check.ts";
import type { OptimiserDefinition } from "./optimiser.ts";

/**
 * Adam (Kingma, Ba 2015, algorithm 1) with the L2 penalty and the proximal term in the gradient. Defaults:
 * beta1 0.9, beta2 0.999, epsilon 1e-8, weightDecay 0.
 */
export interface AdamSpec {
  readonly kind: "adam";
  readonly learningRate: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  readonly weightDecay?: number;
}

export const adam: OptimiserDefinition<AdamSpec> = {
  kind: "adam",
  check({ learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 }) {
    checkSetting("learningRate", learningRate, 0, Infinity);
    checkSetting("beta1", beta1, 0, 1);
    checkSetting("beta2", beta2, 0, 1);
    checkSetting("epsilon", epsilon, Number.MIN_VALUE, Infinity);
    checkSetting("weightDecay", weightDecay, 0, Infinity);
  },
  stateVectors: () => 2,
  bind(
    { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 },
    { kernel, count, weights, gradient, state, anchor, proximalMu },
  ) {
    let power1 = 1;
    let power2 = 1;
    let reached = 0;
    return (step) => {
      // Powers by repeated multiplication: hosts differ in `**`.
      for (; reached < step; reached += 1) {
        power1 *= beta1;
        power2 *= beta2;
      }
      const rate = learningRate / (1 - power1);
      const rootCorrection = Math.sqrt(1 - power2);
      kernel.adamStep(
        weights,
        gradient,
        state[0],
        state[1],
        anchor,
        count,
        rate,
        beta1,
        1 - beta1,
        beta2,
        1 - beta2,
        rootCorrection,
        epsilon,
        weightDecay,
        proximalMu,
      );
    };
  },
};
