import { requireWithin } from "./checks.ts";
import { lengthOf, type LayerDefinition } from "./layer.ts";

/**
 * Dropout (Srivastava et al. 2014): in training each value becomes 0 with probability `rate`, and the others are divided
 * by 1 − rate; in evaluation nothing happens. The mask is a function of the fit's seed and path, the step, the layer and
 * the place in the batch alone.
 */
export interface DropoutSpec {
  readonly kind: "dropout";
  /** Probability, in [0, 1). */
  readonly rate: number;
}

export const dropout: LayerDefinition<DropoutSpec> = {
  kind: "dropout",

  plan({ rate }, inputShape, planning) {
    requireWithin(planning, "rate", rate, 0, 1);
    const length = lengthOf(inputShape);
    const threshold = Math.min(Math.round(rate * 2 ** 32), 2 ** 32 - 1);
    const scale = 1 / (1 - rate);
    return {
      outputShape: inputShape,
      parameters: [],
      draws: true,
      keptFloats: (maxBatch) => maxBatch * length,
      bind({ kernel, name, input, output, kept }) {
        return {
          forward(rows, step) {
            const count = rows * length;
            if (step === undefined) {
              kernel.copy(input, output, count);
              return;
            }
            const words = step.stream(name);
            kernel.dropoutMask(kept, count, words.uint32(), words.uint32(), words.uint32(), words.uint32(), threshold, scale);
            kernel.multiply(input, kept, output, count);
          },
          backward(rows, outputGradient, inputGradient) {
            if (inputGradient !== 0) kernel.multiply(outputGradient, kept, inputGradient, rows * length);
          },
        };
      },
    };
  },
};
