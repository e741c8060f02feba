import { checkSetting } from "./check.ts";
import type { OptimiserContext } from "./optimiser.ts";

/** What Adam and AdamW are set by. */
export interface AdamSettings {
  readonly learningRate: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  readonly weightDecay?: number;
}

/** Throws USAGE when a setting is out of its range. */
export function checkAdam({ learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 }: AdamSettings): void {
  checkSetting("learningRate", learningRate, 0, Infinity);
  checkSetting("beta1", beta1, 0, 1);
  checkSetting("beta2", beta2, 0, 1);
  checkSetting("epsilon", epsilon, Number.MIN_VALUE, Infinity);
  checkSetting("weightDecay", weightDecay, 0, Infinity);
}

/** Adam's step; `penalty` is the factor of w in the gradient, `decay` that by which a learning rate of 1 would shrink w. */
export function bindAdam(
  { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamSettings,
  { kernel, count, weights, gradient, state, anchor, proximalMu }: OptimiserContext,
  { penalty, decay }: { readonly penalty: number; readonly decay: number },
): (step: number, rateFactor: number) => void {
  let power1 = 1;
  let power2 = 1;
  let reached = 0;
  return (step, rateFactor) => {
    // Powers by repeated multiplication: hosts differ in `**`.
    for (; reached < step; reached += 1) {
      power1 *= beta1;
      power2 *= beta2;
    }
    const rate = learningRate * rateFactor;
    kernel.adamStep(
      weights,
      gradient,
      state[0],
      state[1],
      anchor,
      count,
      rate / (1 - power1),
      beta1,
      1 - beta1,
      beta2,
      1 - beta2,
      Math.sqrt(1 - power2),
      epsilon,
      penalty,
      proximalMu,
      1 - rate * decay,
    );
  };
}
