import type { NexusError } from "@ciphernx/core/errors";
import type { RandomStream } from "../../random/index.ts";
import type { Initialiser } from "../initialiser.ts";
import type { Address, KernelExports } from "../kernel-exports.ts";
import type { LayerSpec } from "./index.ts";

/**
 * Shape of one example, without the batch. Its numbers lie row-major; a batch is examples one behind the other. Images
 * are [channels, height, width] (with the batch: NCHW), and whatever else has channels has them first.
 */
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
  /** False for a statistic that training keeps but the optimiser does not move. Default true. */
  readonly trained?: false;
}

/** What a layer needs, inferred from its spec and its input's shape without touching any kernel. */
export interface LayerPlan {
  readonly outputShape: Shape;
  readonly parameters: readonly ParameterPlan[];
  /** Numbers kept from forward to backward for `maxBatch` examples. Default none. */
  keptFloats?(maxBatch: number): number;
  /** Numbers needed during one call only; all layers share them. Default none. */
  scratchFloats?(maxBatch: number): number;
  /** Whether training draws random numbers. Default false. */
  readonly draws?: boolean;
  /** The layers inside a layer that is made of layers. */
  readonly inner?: readonly PlannedLayer[];
  bind(context: LayerContext): BoundLayer;
}

/** Where a layer of a network lies in memory. Arrays follow the order of `LayerPlan.parameters`. */
export interface LayerContext {
  readonly kernel: KernelExports;
  readonly memory: WebAssembly.Memory;
  /** Name of the layer in its network, for example `layer3`; inside a residual block `layer3.layer0`. */
  readonly name: string;
  readonly maxBatch: number;
  readonly parameters: readonly Address[];
  readonly gradients: readonly Address[];
  readonly input: Address;
  readonly output: Address;
  readonly kept: Address;
  readonly scratch: Address;
  readonly gemmScratch: Address;
}

/** What a layer is told about a step of training. Evaluation and prediction have none. */
export interface TrainingStep {
  /** The stream of random numbers of a layer in this step: a function of seed, path, step and name alone. */
  stream(name: string): RandomStream;
}

/** A layer of a network, ready to run. */
export interface BoundLayer {
  /** Reads `input`, writes `output`, for the first `rows` examples; with a step while training, without in evaluation. */
  forward(rows: number, step?: TrainingStep): void;
  /**
   * After forward of a step with the same `rows`: reads the gradient of the output and leaves it as it is, overwrites the
   * gradients of the parameters, and writes the gradient of the input unless `inputGradient` is 0 (the first layer of a
   * network).
   */
  backward(rows: number, outputGradient: Address, inputGradient: Address): void;
  /** Writes the parameters that the optimiser does not move, after it has moved the others. */
  afterUpdate?(): void;
}

/** A layer of a network with its shapes. */
export interface PlannedLayer {
  readonly spec: LayerSpec;
  /** Name among its siblings, for example `layer3`. */
  readonly name: string;
  readonly inputShape: Shape;
  readonly plan: LayerPlan;
}

/** Layers one behind the other, planned together; the parameters carry the names of their layers. */
export interface SequencePlan extends Required<LayerPlan> {
  readonly layers: readonly PlannedLayer[];
}

/** What surrounds a layer that is planned. */
export interface LayerPlanning {
  /** The kind of the layer behind, if any. */
  readonly next: string | undefined;
  /** The error SPEC_INVALID of this layer, which names it: `problem` goes on from "Layer 3 (conv2d)". */
  refuse(problem: string, details?: Readonly<Record<string, unknown>>): NexusError;
  /** Plans layers inside this one; `label` begins their names. */
  sequence(layers: readonly LayerSpec[], inputShape: Shape, label: string): SequencePlan;
}

/** A kind of layer: one file beside this one, one line in the index. */
export interface LayerDefinition<Spec extends { readonly kind: string }> {
  readonly kind: Spec["kind"];
  /** Throws SPEC_INVALID when the layer cannot take such an input. */
  plan(spec: Spec, inputShape: Shape, planning: LayerPlanning): LayerPlan;
}
