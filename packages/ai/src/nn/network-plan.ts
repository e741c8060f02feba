import { NexusError } from "@ciphernx/core/errors";
import { type ParameterLayout, parameterLayout } from "../tensor/index.ts";
import { type LayerSpec, lengthOf, type SequencePlan, type Shape, shapeText } from "./layers/index.ts";
import { LOSS_KINDS, lossDefinition, type LossKind } from "./losses/index.ts";
import { planSequence } from "./sequence.ts";

/** A network: what goes in, the layers one behind the other, and what is minimised. Plain JSON. */
export interface NetworkSpec {
  /** Features of one example. */
  readonly inputLength: number;
  /** Shape of one example's features, for example [1, 28, 28]: channels, height, width. Default [inputLength]. */
  readonly inputShape?: Shape;
  readonly layers: readonly LayerSpec[];
  readonly loss: LossKind;
}

/** Infers the shapes and parameters of a network. Throws SPEC_INVALID where the spec makes no network. */
export function planNetwork({ inputLength, inputShape = [inputLength], layers, loss }: NetworkSpec): SequencePlan {
  if (!Number.isSafeInteger(inputLength) || inputLength < 1) {
    throw new NexusError("SPEC_INVALID", `The network takes ${inputLength} features; it needs a whole number from 1.`);
  }
  const plan = planLayers(layers, inputShape);
  if (lengthOf(inputShape) !== inputLength) {
    throw new NexusError(
      "SPEC_INVALID",
      `The network takes ${inputLength} features; an input of ${shapeText(inputShape)} has ${lengthOf(inputShape)}.`,
      {
        details: { given: inputLength, wanted: [...inputShape] },
      },
    );
  }
  if (lossDefinition(loss) === undefined) {
    throw new NexusError("SPEC_INVALID", `There is no loss ${JSON.stringify(loss)}; there are ${LOSS_KINDS.join(", ")}.`);
  }
  return plan;
}

/** Infers the shapes and parameters of layers. Throws SPEC_INVALID. */
export function planLayers(layers: readonly LayerSpec[], inputShape: Shape): SequencePlan {
  if (inputShape.length === 0 || !inputShape.every((size) => Number.isSafeInteger(size) && size >= 1)) {
    throw new NexusError("SPEC_INVALID", `The network's input has the shape ${shapeText(inputShape)}; it needs whole numbers from 1.`);
  }
  if (layers.length === 0) throw new NexusError("SPEC_INVALID", "The network has no layer.");
  return planSequence(layers, inputShape, "layer", "Layer");
}

/**
 * The parameters of a network as a flat vector: `layer0.bias`, `layer0.weight`, `layer2.bias`, … by the index of the
 * layer in the spec, with leading zeros from eleven layers on, so that the order of names is that of layers; inside a
 * residual block `layer3.layer0.bias`. A dense weight is [inputs, units], a convolution's [channels out, channels in,
 * height, width], all row-major. Pure; needs no kernel. Throws SPEC_INVALID.
 */
export function networkLayout(spec: NetworkSpec): ParameterLayout {
  return layoutOf(planNetwork(spec));
}

/** The layout of the parameters of a planned network. */
export function layoutOf({ parameters }: SequencePlan): ParameterLayout {
  return parameterLayout(parameters.map(({ name, shape }) => [name, shape] as const));
}
