import { activation } from "./activation.ts";
import type { LayerDefinition } from "./layer.ts";

/** y = max(x, 0), element by element. */
export interface ReluSpec {
  readonly kind: "relu";
}

export const relu: LayerDefinition<ReluSpec> = activation(
  "relu",
  (kernel) => kernel.relu,
  (kernel) => kernel.reluBackward,
);
