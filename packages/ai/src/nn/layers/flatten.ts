import { lengthOf, type LayerDefinition } from "./layer.ts";

/** [channels, height, width] (or any shape) becomes [channels × height × width]; the numbers stay where they are in a row. */
export interface FlattenSpec {
  readonly kind: "flatten";
}

export const flatten: LayerDefinition<FlattenSpec> = {
  kind: "flatten",
  plan(_spec, inputShape) {
    const length = lengthOf(inputShape);
    return {
      outputShape: [length],
      parameters: [],
      bind: ({ kernel, input, output }) => ({
        forward: (rows) => kernel.copy(input, output, rows * length),
        backward: (rows, outputGradient, inputGradient) => {
          if (inputGradient !== 0) kernel.copy(outputGradient, inputGradient, rows * length);
        },
      }),
    };
  },
};
