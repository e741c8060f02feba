import type { LayerSpec, PlannedLayer, Shape } from "./layers/index.ts";
import { planLayers } from "./network-plan.ts";

/** What a layer makes of its input, as shapes of one example. */
export interface LayerShapes {
  /** Name in the network: `layer3`, and inside a residual block `layer3.layer0`. Its tensors' names begin with it. */
  readonly name: string;
  readonly kind: LayerSpec["kind"];
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  /** All tensors of the layer, those of layers inside it among them. */
  readonly parameters: readonly {
    readonly name: string;
    readonly shape: Shape;
    /** False for running statistics, which the optimiser does not move. */
    readonly trained: boolean;
  }[];
  /** The layers inside a residual block. */
  readonly inner: readonly LayerShapes[];
}

/**
 * The shapes of layers one behind the other for an input of a shape: what a plan shows before anything is trained.
 * Pure; needs no kernel.
 * @throws NexusError SPEC_INVALID that names the layer, what it is given and what it takes.
 */
export function inferShapes(layers: readonly LayerSpec[], inputShape: Shape): readonly LayerShapes[] {
  return planLayers(layers, inputShape).layers.map((layer) => shapesOf(layer, ""));
}

function shapesOf({ spec, name, inputShape, plan }: PlannedLayer, prefix: string): LayerShapes {
  const fullName = prefix + name;
  return {
    name: fullName,
    kind: spec.kind,
    inputShape,
    outputShape: plan.outputShape,
    parameters: plan.parameters.map(({ name: own, shape, trained = true }) => ({ name: `${fullName}.${own}`, shape, trained })),
    inner: (plan.inner ?? []).map((layer) => shapesOf(layer, `${fullName}.`)),
  };
}
