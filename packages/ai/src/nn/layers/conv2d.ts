import { createMemoryPlan } from "../memory-plan.ts";
import { type FanInitial, weightInitialiser, ZEROS } from "../initialiser.ts";
import { requireImage, requireWhole } from "./checks.ts";
import type { LayerDefinition } from "./layer.ts";
import { panelFloats } from "./panel-floats.ts";
import { planPadding } from "./padding.ts";
import { type Pair, planWindow } from "./window.ts";

/**
 * Convolution (as the field has it: correlation) over [channels, height, width]: each output channel is its bias plus
 * the sum of weight × pixel over all input channels and the window, zeros around the image. `weight` is
 * [channels, channels in, height, width], `bias` is [channels].
 *
 * The sums: outputs from the bias on in ascending order of input channel, row, column (the rule of the matrix product);
 * the weights' gradient over examples, then positions; the input's gradient per window position over output channels,
 * then over the window.
 */
export interface Conv2dSpec {
  readonly kind: "conv2d";
  /** Output channels. */
  readonly channels: number;
  /** Side of the window in pixels, or [height, width]. */
  readonly size: Pair;
  /** Pixels from one window to the next. Default 1. */
  readonly stride?: Pair;
  /** Zeros on each side of the image. Default 0; (size − 1) / 2 keeps the size of the image at stride 1. */
  readonly padding?: Pair;
  /** Default: `he` when a ReLU follows, else `glorot`. Both uniform. */
  readonly initial?: FanInitial;
}

export const conv2d: LayerDefinition<Conv2dSpec> = {
  kind: "conv2d",

  plan({ channels, size, stride = 1, padding = 0, initial }, inputShape, planning) {
    requireWhole(planning, "channels", channels);
    const [inputs] = requireImage(planning, inputShape);
    const window = planWindow(planning, { size, stride, padding }, inputShape);
    const { kernelHeight, kernelWidth, outHeight, outWidth } = window;
    const area = kernelHeight * kernelWidth;
    const patch = inputs * area;
    const positions = outHeight * outWidth;
    const { geometry, paddedLength, inputLength, bind: bindPadding } = planPadding(inputs, window);

    /** What one example needs at a time: its padded image or the gradient of that, packed patches, and gradients of patches. */
    function placeScratch(base: number) {
      const memory = createMemoryPlan(base);
      const padded = memory.floats(paddedLength);
      const panels = memory.floats(Math.max(panelFloats(patch, positions), panelFloats(positions, patch), panelFloats(channels, positions)));
      const patches = memory.floats(patch * positions);
      return { padded, panels, patches, end: memory.end };
    }

    return {
      outputShape: [channels, outHeight, outWidth],
      parameters: [
        { name: "bias", shape: [channels], initialiser: ZEROS },
        {
          name: "weight",
          shape: [channels, inputs, kernelHeight, kernelWidth],
          initialiser: weightInitialiser(initial, planning.next, patch, channels * area),
        },
      ],
      scratchFloats: () => placeScratch(0).end / 4,

      bind({ kernel, parameters, gradients, input, output, scratch, gemmScratch }) {
        const [bias, weight] = parameters as [number, number];
        const [biasGradient, weightGradient] = gradients as [number, number];
        const { padded, panels, patches } = placeScratch(scratch);
        const { pad, unpad } = bindPadding(kernel, padded);
        const inputSize = inputLength * 4;
        const outputSize = channels * positions * 4;
        return {
          forward(rows) {
            for (let row = 0; row < rows; row += 1) {
              const to = output + row * outputSize;
              const finite = kernel.packPatches(pad(input + row * inputSize), panels, inputs, ...geometry);
              kernel.spreadRows(bias, to, channels, positions, 1);
              kernel.gemmRows(weight, panels, to, channels, positions, patch, 1, finite, gemmScratch);
            }
          },
          backward(rows, outputGradient, inputGradient) {
            kernel.zeros(biasGradient, channels);
            for (let row = 0; row < rows; row += 1) {
              const from = outputGradient + row * outputSize;
              kernel.addPlaneSums(from, biasGradient, channels, positions);
              let finite = kernel.packPatchesTransposed(pad(input + row * inputSize), panels, inputs, ...geometry);
              kernel.gemmRows(from, panels, weightGradient, channels, patch, positions, row === 0 ? 0 : 1, finite, gemmScratch);
              if (inputGradient === 0) continue;
              finite = kernel.packPanels(from, panels, channels, positions);
              kernel.gemmColumns(weight, panels, patches, patch, positions, channels, 0, finite, gemmScratch);
              unpad(inputGradient + row * inputSize, (to) => kernel.addPatches(patches, to, inputs, ...geometry));
            }
          },
        };
      },
    };
  },
};
