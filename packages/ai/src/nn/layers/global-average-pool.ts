import { channelsOf, shapeText } from "./checks.ts";
import type { LayerDefinition } from "./layer.ts";

/** The mean of each channel: [channels, …] becomes [channels]. */
export interface GlobalAveragePoolSpec {
  readonly kind: "global-average-pool";
}

export const globalAveragePool: LayerDefinition<GlobalAveragePoolSpec> = {
  kind: "global-average-pool",

  plan(_spec, inputShape, planning) {
    if (inputShape.length < 2) {
      throw planning.refuse(`is given ${shapeText(inputShape)}; it takes [channels, …] with something to average.`, {
        given: [...inputShape],
        wanted: ["channels", "height", "width"],
      });
    }
    const { channels, spatial } = channelsOf(inputShape);
    return {
      outputShape: [channels],
      parameters: [],
      bind: ({ kernel, input, output }) => ({
        forward: (rows) => kernel.rowMeans(input, output, rows * channels, spatial, 1 / spatial),
        backward: (rows, outputGradient, inputGradient) => {
          if (inputGradient !== 0) kernel.spreadRows(outputGradient, inputGradient, rows * channels, spatial, 1 / spatial);
        },
      }),
    };
  },
};
