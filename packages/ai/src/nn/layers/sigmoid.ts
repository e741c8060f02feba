import { activation } from "./activation.ts";
import type { LayerDefinition } from "./layer.ts";

/** y = 1 / (1 + e^-x), element by element. */
export interface SigmoidSpec {
  readonly kind: "sigmoid";
}

export const sigmoid: LayerDefinition<SigmoidSpec> = activation(
  "sigmoid",
  (kernel) => kernel.sigmoid,
  (kernel) => kernel.sigmoidBackward,
);
