import { averagePool, type AveragePoolSpec } from "./average-pool.ts";
import { batchNorm, type BatchNormSpec } from "./batch-norm.ts";
import { conv2d, type Conv2dSpec } from "./conv2d.ts";
import { dense, type DenseSpec } from "./dense.ts";
import { depthwiseConv2d, type DepthwiseConv2dSpec } from "./depthwise-conv2d.ts";
import { dropout, type DropoutSpec } from "./dropout.ts";
import { embedding, type EmbeddingSpec } from "./embedding.ts";
import { flatten, type FlattenSpec } from "./flatten.ts";
import { globalAveragePool, type GlobalAveragePoolSpec } from "./global-average-pool.ts";
import { groupNorm, type GroupNormSpec } from "./group-norm.ts";
import type { LayerDefinition } from "./layer.ts";
import { maxPool, type MaxPoolSpec } from "./max-pool.ts";
import { relu, type ReluSpec } from "./relu.ts";
import { residual, type ResidualSpec } from "./residual.ts";
import { sigmoid, type SigmoidSpec } from "./sigmoid.ts";
import { tanh, type TanhSpec } from "./tanh.ts";

/** A layer of a network. Plain JSON. */
export type LayerSpec =
  | DenseSpec
  | ReluSpec
  | TanhSpec
  | SigmoidSpec
  | FlattenSpec
  | Conv2dSpec
  | DepthwiseConv2dSpec
  | MaxPoolSpec
  | AveragePoolSpec
  | GlobalAveragePoolSpec
  | GroupNormSpec
  | BatchNormSpec
  | ResidualSpec
  | DropoutSpec
  | EmbeddingSpec;

const LAYERS: { readonly [Kind in LayerSpec["kind"]]: LayerDefinition<Extract<LayerSpec, { kind: Kind }>> } = {
  dense,
  relu,
  tanh,
  sigmoid,
  flatten,
  conv2d,
  "depthwise-conv2d": depthwiseConv2d,
  "max-pool": maxPool,
  "average-pool": averagePool,
  "global-average-pool": globalAveragePool,
  "group-norm": groupNorm,
  "batch-norm": batchNorm,
  residual,
  dropout,
  embedding,
};

/** The kinds of layers there are. */
export const LAYER_KINDS = Object.keys(LAYERS) as readonly LayerSpec["kind"][];

/** The definition of a layer's kind, or undefined for a kind that this build does not know. */
export function layerDefinition(spec: LayerSpec): LayerDefinition<LayerSpec> | undefined {
  return Object.hasOwn(LAYERS, spec.kind) ? LAYERS[spec.kind] : undefined;
}

export { shapeText } from "./checks.ts";
export type {
  BoundLayer,
  LayerContext,
  LayerDefinition,
  LayerPlan,
  ParameterPlan,
  PlannedLayer,
  SequencePlan,
  Shape,
  TrainingStep,
} from "./layer.ts";
export { lengthOf } from "./layer.ts";
