import { type FanInitial, weightInitialiser, ZEROS } from "../initialiser.ts";
import { requireImage } from "./checks.ts";
import type { LayerDefinition } from "./layer.ts";
import { planPadding } from "./padding.ts";
import { type Pair, planWindow } from "./window.ts";

/**
 * Convolution of each channel of [channels, height, width] with one window of its own; as many channels come out.
 * `weight` is [channels, 1, height, width], `bias` is [channels]. Followed by a conv2d of size 1 it is a separable
 * convolution. Outputs are summed from the bias on in ascending order of row, column of the window.
 */
export interface DepthwiseConv2dSpec {
  readonly kind: "depthwise-conv2d";
  /** Side of the window in pixels, or [height, width]. */
  readonly size: Pair;
  /** Pixels from one window to the next. Default 1. */
  readonly stride?: Pair;
  /** Zeros on each side of the image. Default 0. */
  readonly padding?: Pair;
  /** Default: `he` when a ReLU follows, else `glorot`. Both uniform. */
  readonly initial?: FanInitial;
}

export const depthwiseConv2d: LayerDefinition<DepthwiseConv2dSpec> = {
  kind: "depthwise-conv2d",

  plan({ size, stride = 1, padding = 0, initial }, inputShape, planning) {
    const [channels] = requireImage(planning, inputShape);
    const window = planWindow(planning, { size, stride, padding }, inputShape);
    const { kernelHeight, kernelWidth, outHeight, outWidth } = window;
    const area = kernelHeight * kernelWidth;
    const positions = outHeight * outWidth;
    const { geometry, paddedLength, inputLength, bind: bindPadding } = planPadding(channels, window);
    return {
      outputShape: [channels, outHeight, outWidth],
      parameters: [
        { name: "bias", shape: [channels], initialiser: ZEROS },
        {
          name: "weight",
          shape: [channels, 1, kernelHeight, kernelWidth],
          initialiser: weightInitialiser(initial, planning.next, area, area),
        },
      ],
      scratchFloats: () => paddedLength,

      bind({ kernel, parameters, gradients, input, output, scratch }) {
        const [bias, weight] = parameters as [number, number];
        const [biasGradient, weightGradient] = gradients as [number, number];
        const { pad, unpad } = bindPadding(kernel, scratch);
        const inputSize = inputLength * 4;
        const outputSize = channels * positions * 4;
        return {
          forward(rows) {
            for (let row = 0; row < rows; row += 1) {
              kernel.depthwise(pad(input + row * inputSize), weight, bias, output + row * outputSize, channels, ...geometry);
            }
          },
          backward(rows, outputGradient, inputGradient) {
            kernel.zeros(biasGradient, channels);
            kernel.zeros(weightGradient, channels * area);
            for (let row = 0; row < rows; row += 1) {
              const from = outputGradient + row * outputSize;
              kernel.addPlaneSums(from, biasGradient, channels, positions);
              kernel.depthwiseWeights(pad(input + row * inputSize), from, weightGradient, channels, ...geometry);
              if (inputGradient === 0) continue;
              unpad(inputGradient + row * inputSize, (to) => kernel.depthwiseBackward(from, weight, to, channels, ...geometry));
            }
          },
        };
      },
    };
  },
};
