import type { Initialiser } from "../initialiser.ts";
import type { Address, KernelExports } from "../kernel-exports.ts";

/** Shape of one example, without the batch. Its numbers lie row-major; a batch is examples one behind the other. */
export type Shape = readonly number[];

/** Number of values of a shape. */
export function lengthOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** A parameter that a layer has. */
export interface ParameterPlan {
  /** Name within the layer, for example `weight`. */
  readonly name: string;
  readonly shape: Shape;
  readonly initialiser: Initialiser;
}

/** What a layer needs, inferred from its spec and its input's shape without touching any kernel. */
export interface LayerPlan {
  readonly outputShape: Shape;
  readonly parameters: readonly ParameterPlan[];
  /** Numbers kept from forward to backward for `maxBatch` examples. Default none. */
  keptFloats?(maxBatch: number): number;
  /** Numbers needed during one call only; all layers share them. Default none. */
  scratchFloats?(maxBatch: number): number;
}

/** Where a layer of a network lies in memory. Arrays follow the order of `LayerPlan.parameters`. */
export interface LayerContext {
  readonly kernel: KernelExports;
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  readonly parameters: readonly Address[];
  readonly gradients: readonly Address[];
  readonly input: Address;
  readonly output: Address;
  readonly kept: Address;
  readonly scratch: Address;
  readonly gemmScratch: Address;
}

/** A layer of a network, ready to run. */
export interface BoundLayer {
  /** Reads `input`, writes `output`, for the first `rows` examples. */
  forward(rows: number): void;
  /**
   * After forward with the same `rows`: reads the gradient of the output, overwrites the gradients of the parameters,
   * and writes the gradient of the input unless `inputGradient` is 0 (the first layer of a network).
   */
  backward(rows: number, outputGradient: Address, inputGradient: Address): void;
}

/** A kind of layer: one file beside this one, one line in the index. */
export interface LayerDefinition<Spec extends { readonly kind: string }> {
  readonly kind: Spec["kind"];
  /** Throws SPEC_INVALID when the layer cannot take such an input. `next` is the kind of the layer behind, if any. */
  plan(spec: Spec, inputShape: Shape, next: string | undefined): LayerPlan;
  bind(spec: Spec, context: LayerContext): BoundLayer;
}
