import { dense, type DenseSpec } from "./dense.ts";
import type { LayerDefinition } from "./layer.ts";
import { relu, type ReluSpec } from "./relu.ts";
import { sigmoid, type SigmoidSpec } from "./sigmoid.ts";
import { tanh, type TanhSpec } from "./tanh.ts";

/** A layer of a network. */
export type LayerSpec = DenseSpec | ReluSpec | TanhSpec | SigmoidSpec;

const LAYERS: { readonly [Kind in LayerSpec["kind"]]: LayerDefinition<Extract<LayerSpec, { kind: Kind }>> } = { dense, relu, tanh, sigmoid };

/** The kinds of layers there are. */
export const LAYER_KINDS = Object.keys(LAYERS) as readonly LayerSpec["kind"][];

/** The definition of a layer's kind, or undefined for a kind that this build does not know. */
export function layerDefinition(spec: LayerSpec): LayerDefinition<LayerSpec> | undefined {
  return Object.hasOwn(LAYERS, spec.kind) ? LAYERS[spec.kind] : undefined;
}

export type { BoundLayer, LayerContext, LayerDefinition, LayerPlan, ParameterPlan, Shape } from "./layer.ts";
export { lengthOf } from "./layer.ts";
