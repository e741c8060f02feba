import type { LossDefinition } from "./loss.ts";

/**
 * −ln of the softmax probability of an example's class; correct when the largest output (the first of equals) is at
 * the class. Predictions are probabilities.
 */
export const softmaxCrossEntropy: LossDefinition = {
  targets: "class",
  scratchFloats: (_maxBatch, outputLength) => outputLength,
  bind: ({ kernel, outputLength, outputs, targets, losses, scratch }) => ({
    judge: (rows, gradient) => kernel.softmaxCrossEntropy(outputs, targets, rows, outputLength, 1 / rows, gradient, losses, scratch),
    predict: (rows, to) => kernel.softmax(outputs, to, rows, outputLength, scratch),
  }),
};
