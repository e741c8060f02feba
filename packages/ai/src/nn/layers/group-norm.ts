import { ONES, ZEROS } from "../initialiser.ts";
import { channelsOf, requireWhole, requireWithin, shapeText } from "./checks.ts";
import type { LayerDefinition } from "./layer.ts";

/**
 * Group normalisation (Wu, He 2018): each group of neighbouring channels of each example gets mean 0 and variance 1, then
 * each channel its own `weight` and `bias`. An example is normalised by itself, in training and in evaluation alike, so
 * nothing about a party's data stays in the model beside its parameters: the norm that federated work uses.
 */
export interface GroupNormSpec {
  readonly kind: "group-norm";
  /** How many groups; must divide the channels. 1 is layer norm, the number of channels instance norm. */
  readonly groups: number;
  /** Added to the variance before its root. Default 1e-5. */
  readonly epsilon?: number;
}

export const groupNorm: LayerDefinition<GroupNormSpec> = {
  kind: "group-norm",

  plan({ groups, epsilon = 1e-5 }, inputShape, planning) {
    requireWhole(planning, "groups", groups);
    requireWithin(planning, "epsilon", epsilon, Number.MIN_VALUE, 1);
    const { channels, spatial } = channelsOf(inputShape);
    if (channels % groups !== 0) {
      throw planning.refuse(`is given ${shapeText(inputShape)}; its ${groups} groups want a number of channels that ${groups} divides.`, {
        given: [...inputShape],
        wanted: [`a multiple of ${groups}`],
        setting: "groups",
      });
    }
    const perGroup = channels / groups;
    return {
      outputShape: inputShape,
      parameters: [
        { name: "bias", shape: [channels], initialiser: ZEROS },
        { name: "weight", shape: [channels], initialiser: ONES },
      ],
      keptFloats: (maxBatch) => 2 * maxBatch * groups,
      bind({ kernel, maxBatch, parameters, gradients, input, output, kept }) {
        const [bias, weight] = parameters as [number, number];
        const [biasGradient, weightGradient] = gradients as [number, number];
        const means = kept;
        const inverses = kept + maxBatch * groups * 4;
        return {
          forward: (rows) => kernel.groupNorm(input, output, weight, bias, means, inverses, rows, groups, perGroup, spatial, epsilon),
          backward: (rows, outputGradient, inputGradient) =>
            kernel.groupNormBackward(
              input,
              outputGradient,
              inputGradient,
              weight,
              weightGradient,
              biasGradient,
              means,
              inverses,
              rows,
              groups,
              perGroup,
              spatial,
            ),
        };
      },
    };
  },
};
