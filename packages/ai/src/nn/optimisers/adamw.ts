import { type AdamSettings, bindAdam, checkAdam } from "./adam-steps.ts";
import type { OptimiserDefinition } from "./optimiser.ts";

/**
 * AdamW (Loshchilov, Hutter 2019, algorithm 2): Adam whose weight decay does not go through the gradient and its moments
 * but shrinks the parameters by themselves, w ← w·(1 − learningRate·weightDecay) − Adam's step. A proximal term stays in
 * the gradient. Defaults: beta1 0.9, beta2 0.999, epsilon 1e-8, weightDecay 0.01.
 */
export interface AdamWSpec extends AdamSettings {
  readonly kind: "adamw";
}

export const adamw: OptimiserDefinition<AdamWSpec> = {
  kind: "adamw",
  check: ({ weightDecay = 0.01, ...settings }) => checkAdam({ ...settings, weightDecay }),
  stateVectors: () => 2,
  bind: ({ weightDecay = 0.01, ...settings }, context) => bindAdam(settings, context, { penalty: 0, decay: weightDecay }),
};
