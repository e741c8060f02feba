import type { LossDefinition } from "./loss.ts";

/** Squared error, mean over an example's outputs. A regression has no correct examples: 0. Predictions are the outputs. */
export const mse: LossDefinition = {
  targets: "values",
  scratchFloats: (maxBatch, outputLength) => maxBatch * outputLength,
  bind: ({ kernel, outputLength, outputs, targets, losses, scratch }) => ({
    judge(rows, gradient) {
      const count = rows * outputLength;
      kernel.mseLosses(outputs, targets, scratch, count);
      kernel.rowMeans(scratch, losses, rows, outputLength, 1 / outputLength);
      if (gradient !== 0) kernel.mseGradient(outputs, targets, gradient, count, 2 / count);
      return 0;
    },
    predict: (rows, to) => kernel.copy(outputs, to, rows * outputLength),
  }),
};
