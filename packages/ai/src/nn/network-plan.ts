import { NexusError } from "@ciphernx/core/errors";
import { type ParameterLayout, parameterLayout } from "../tensor/index.ts";
import type { Initialiser } from "./initialiser.ts";
import { LAYER_KINDS, layerDefinition, type LayerPlan, type LayerSpec, lengthOf, type Shape } from "./layers/index.ts";
import { LOSS_KINDS, lossDefinition, type LossKind } from "./losses/index.ts";

/** A network: what goes in, the layers one behind the other, and what is minimised. Plain JSON. */
export interface NetworkSpec {
  /** Features of one example. */
  readonly inputLength: number;
  readonly layers: readonly LayerSpec[];
  readonly loss: LossKind;
}

/** A layer of a network with its shapes, and its parameters by their full names. */
export interface PlannedLayer {
  readonly spec: LayerSpec;
  readonly inputShape: Shape;
  readonly plan: LayerPlan;
  readonly parameters: readonly { readonly name: string; readonly shape: Shape; readonly initialiser: Initialiser }[];
}

/** Infers the shapes and parameters of a network. Throws SPEC_INVALID where the spec makes no network. */
export function planLayers(spec: NetworkSpec): readonly PlannedLayer[] {
  const { inputLength, layers, loss } = spec;
  if (!Number.isSafeInteger(inputLength) || inputLength < 1) {
    throw new NexusError("SPEC_INVALID", `The network takes ${inputLength} features; it needs a whole number from 1.`);
  }
  if (layers.length === 0) throw new NexusError("SPEC_INVALID", "The network has no layer.");
  if (lossDefinition(loss) === undefined) {
    throw new NexusError("SPEC_INVALID", `There is no loss ${JSON.stringify(loss)}; there are ${LOSS_KINDS.join(", ")}.`);
  }
  // Numbers of one width, so that the order of names is the order of layers.
  const digits = String(layers.length - 1).length;
  let inputShape: Shape = [inputLength];
  return layers.map((layer, index) => {
    const definition = layerDefinition(layer);
    if (definition === undefined) {
      throw new NexusError("SPEC_INVALID", `Layer ${index} is of kind ${JSON.stringify(layer.kind)}; there are ${LAYER_KINDS.join(", ")}.`);
    }
    const plan = definition.plan(layer, inputShape, layers[index + 1]?.kind);
    const prefix = `layer${String(index).padStart(digits, "0")}`;
    const planned = {
      spec: layer,
      inputShape,
      plan,
      parameters: plan.parameters.map(({ name, shape, initialiser }) => ({ name: `${prefix}.${name}`, shape, initialiser })),
    };
    inputShape = plan.outputShape;
    return planned;
  });
}

/** Number of outputs of a planned network. */
export function outputLengthOf(layers: readonly PlannedLayer[]): number {
  return lengthOf(layers.at(-1)!.plan.outputShape);
}

function layoutOf(layers: readonly PlannedLayer[]): ParameterLayout {
  return parameterLayout(layers.flatMap(({ parameters }) => parameters.map(({ name, shape }) => [name, shape] as const)));
}

/**
 * The parameters of a network as a flat vector: `layer0.bias`, `layer0.weight`, `layer2.bias`, … by the index of the
 * layer in the spec, with leading zeros from eleven layers on, so that the order of names is that of layers. A dense
 * weight is [inputs, units], row-major. Pure; needs no kernel. Throws SPEC_INVALID.
 */
export function networkLayout(spec: NetworkSpec): ParameterLayout {
  return layoutOf(planLayers(spec));
}
