import type { PoolGeometry } from "../kernel-exports.ts";
import { requireImage } from "./checks.ts";
import type { LayerDefinition } from "./layer.ts";
import { type Pair, planWindow, requireInside } from "./window.ts";

/** The largest number of each window of each channel of [channels, height, width]. What lies around the image is not seen. */
export interface MaxPoolSpec {
  readonly kind: "max-pool";
  /** Side of the window in pixels, or [height, width]. */
  readonly size: Pair;
  /** Pixels from one window to the next. Default: the size, so that windows do not overlap. */
  readonly stride?: Pair;
  /** How far windows reach beyond each side of the image. Default 0. */
  readonly padding?: Pair;
}

export const maxPool: LayerDefinition<MaxPoolSpec> = {
  kind: "max-pool",

  plan({ size, stride = size, padding = 0 }, inputShape, planning) {
    const [channels, height, width] = requireImage(planning, inputShape);
    const window = planWindow(planning, { size, stride, padding }, inputShape);
    requireInside(planning, window);
    const { kernelHeight, kernelWidth, strideY, strideX, top, left, outHeight, outWidth } = window;
    const geometry: PoolGeometry = [height, width, kernelHeight, kernelWidth, strideY, strideX, top, left, outHeight, outWidth];
    const positions = outHeight * outWidth;
    return {
      outputShape: [channels, outHeight, outWidth],
      parameters: [],
      keptFloats: (maxBatch) => maxBatch * channels * positions,
      bind: ({ kernel, input, output, kept }) => ({
        forward: (rows) => kernel.maxPool(input, output, kept, rows * channels, ...geometry),
        backward: (rows, outputGradient, inputGradient) => {
          if (inputGradient !== 0) kernel.maxPoolBackward(outputGradient, kept, inputGradient, rows * channels, height * width, positions);
        },
      }),
    };
  },
};
