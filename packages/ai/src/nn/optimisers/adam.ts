import { type AdamSettings, bindAdam, checkAdam } from "./adam-steps.ts";
import type { OptimiserDefinition } from "./optimiser.ts";

/**
 * Adam (Kingma, Ba 2015, algorithm 1) with the L2 penalty and the proximal term in the gradient. Defaults:
 * beta1 0.9, beta2 0.999, epsilon 1e-8, weightDecay 0.
 */
export interface AdamSpec extends AdamSettings {
  readonly kind: "adam";
}

export const adam: OptimiserDefinition<AdamSpec> = {
  kind: "adam",
  check: checkAdam,
  stateVectors: () => 2,
  bind: (spec, context) => bindAdam(spec, context, { penalty: spec.weightDecay ?? 0, decay: 0 }),
};
