import type { PoolGeometry } from "../kernel-exports.ts";
import { requireImage } from "./checks.ts";
import type { LayerDefinition } from "./layer.ts";
import { type Pair, planWindow, requireInside } from "./window.ts";

/**
 * The mean of each window of each channel of [channels, height, width]. What lies around the image is not counted (in
 * ONNX: count_include_pad 0).
 */
export interface AveragePoolSpec {
  readonly kind: "average-pool";
  /** Side of the window in pixels, or [height, width]. */
  readonly size: Pair;
  /** Pixels from one window to the next. Default: the size, so that windows do not overlap. */
  readonly stride?: Pair;
  /** How far windows reach beyond each side of the image. Default 0. */
  readonly padding?: Pair;
}

export const averagePool: LayerDefinition<AveragePoolSpec> = {
  kind: "average-pool",

  plan({ size, stride = size, padding = 0 }, inputShape, planning) {
    const [channels, height, width] = requireImage(planning, inputShape);
    const window = planWindow(planning, { size, stride, padding }, inputShape);
    requireInside(planning, window);
    const { kernelHeight, kernelWidth, strideY, strideX, top, left, outHeight, outWidth } = window;
    const geometry: PoolGeometry = [height, width, kernelHeight, kernelWidth, strideY, strideX, top, left, outHeight, outWidth];
    return {
      outputShape: [channels, outHeight, outWidth],
      parameters: [],
      bind: ({ kernel, input, output }) => ({
        forward: (rows) => kernel.averagePool(input, output, rows * channels, ...geometry),
        backward: (rows, outputGradient, inputGradient) => {
          if (inputGradient !== 0) kernel.averagePoolBackward(outputGradient, inputGradient, rows * channels, ...geometry);
        },
      }),
    };
  },
};
