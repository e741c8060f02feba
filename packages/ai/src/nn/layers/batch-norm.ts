import { ONES, ZEROS } from "../initialiser.ts";
import { channelsOf, requireWithin } from "./checks.ts";
import type { LayerDefinition } from "./layer.ts";

/**
 * Batch normalisation (Ioffe, Szegedy 2015): in training each channel gets mean 0 and variance 1 over the batch, then its
 * own `weight` and `bias`; in evaluation the running mean and variance take the place of the batch's.
 *
 * For federated work use group norm. Here the running statistics are tensors of the model like any other, `runningMean`
 * and `runningVariance`, though no trained parameters: training moves them by exponential average, the optimiser does
 * not touch them, and the aggregate holds the weighted mean of the parties'. They tell means and variances of a party's
 * activations, parties with different data pull them apart, the mean of variances is not the variance of the whole, and
 * large ones are cut by the encoding's range.
 */
export interface BatchNormSpec {
  readonly kind: "batch-norm";
  /** Share of a batch in the running statistics, in (0, 1]. Default 0.1. The batch's variance counts as it is (divisor n). */
  readonly momentum?: number;
  /** Added to the variance before its root. Default 1e-5. */
  readonly epsilon?: number;
}

export const batchNorm: LayerDefinition<BatchNormSpec> = {
  kind: "batch-norm",

  plan({ momentum = 0.1, epsilon = 1e-5 }, inputShape, planning) {
    requireWithin(planning, "epsilon", epsilon, Number.MIN_VALUE, 1);
    if (!(momentum > 0 && momentum <= 1)) throw planning.refuse(`has the momentum ${momentum}; it must be above 0 and at most 1.`);
    const { channels, spatial } = channelsOf(inputShape);
    const size = channels * 4;
    return {
      outputShape: inputShape,
      parameters: [
        { name: "bias", shape: [channels], initialiser: ZEROS },
        { name: "runningMean", shape: [channels], initialiser: ZEROS, trained: false },
        { name: "runningVariance", shape: [channels], initialiser: ONES, trained: false },
        { name: "weight", shape: [channels], initialiser: ONES },
      ],
      keptFloats: () => 5 * channels,
      bind({ kernel, parameters, gradients, input, output, kept }) {
        const [bias, runningMean, runningVariance, weight] = parameters as [number, number, number, number];
        const [biasGradient, runningMeanGradient, runningVarianceGradient, weightGradient] = gradients as [number, number, number, number];
        const [means, variances, inverses, nextMean, nextVariance] = [0, 1, 2, 3, 4].map((at) => kept + at * size) as [
          number,
          number,
          number,
          number,
          number,
        ];
        const normalise = (rows: number, mean: number) => kernel.batchNorm(input, output, weight, bias, mean, inverses, rows, channels, spatial);
        return {
          forward(rows, step) {
            if (step === undefined) {
              kernel.inverseRoots(runningVariance, inverses, channels, epsilon);
              normalise(rows, runningMean);
              return;
            }
            kernel.channelMoments(input, means, variances, rows, channels, spatial);
            kernel.inverseRoots(variances, inverses, channels, epsilon);
            normalise(rows, means);
            kernel.blend(runningMean, means, nextMean, channels, momentum);
            kernel.blend(runningVariance, variances, nextVariance, channels, momentum);
          },
          backward(rows, outputGradient, inputGradient) {
            kernel.zeros(runningMeanGradient, channels);
            kernel.zeros(runningVarianceGradient, channels);
            kernel.batchNormBackward(
              input,
              outputGradient,
              inputGradient,
              weight,
              weightGradient,
              biasGradient,
              means,
              inverses,
              rows,
              channels,
              spatial,
            );
          },
          afterUpdate() {
            // Over whatever weight decay and the proximal term have made of them.
            kernel.copy(nextMean, runningMean, channels);
            kernel.copy(nextVariance, runningVariance, channels);
          },
        };
      },
    };
  },
};
