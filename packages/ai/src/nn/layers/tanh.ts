import { activation } from "./activation.ts";
import type { LayerDefinition } from "./layer.ts";

/** y = tanh x, element by element. */
export interface TanhSpec {
  readonly kind: "tanh";
}

export const tanh: LayerDefinition<TanhSpec> = activation(
  "tanh",
  (kernel) => kernel.tanh,
  (kernel) => kernel.tanhBackward,
);
