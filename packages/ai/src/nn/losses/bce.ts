import type { LossDefinition } from "./loss.ts";

/**
 * Binary cross-entropy of logits, mean over an example's outputs; targets in [0, 1]. Correct when every output is above
 * 0 exactly where its target is above ½. Predictions are probabilities.
 */
export const bce: LossDefinition = {
  targets: "values",
  scratchFloats: (maxBatch, outputLength) => maxBatch * outputLength,
  bind: ({ kernel, outputLength, outputs, targets, losses, scratch }) => ({
    judge(rows, gradient) {
      const count = rows * outputLength;
      kernel.bceLosses(outputs, targets, scratch, count);
      kernel.rowMeans(scratch, losses, rows, outputLength, 1 / outputLength);
      if (gradient !== 0) kernel.bceGradient(outputs, targets, gradient, count, 1 / count);
      return kernel.countAgreeing(outputs, targets, rows, outputLength);
    },
    predict: (rows, to) => kernel.sigmoid(outputs, to, rows * outputLength),
  }),
};
