import { NexusError } from "@ciphernx/core/errors";
import { glorotUniform, heUniform, ZEROS } from "../initialiser.ts";
import { lengthOf, type LayerDefinition } from "./layer.ts";

/** y = x·W + b over the flattened input; `weight` is [inputs, units], `bias` is [units]. */
export interface DenseSpec {
  readonly kind: "dense";
  readonly units: number;
  /** Default: `he` when a ReLU follows, else `glorot`. Both uniform. */
  readonly initial?: "he" | "glorot";
}

/** Panels are 8 columns wide. */
function panelFloats(k: number, n: number): number {
  return k * Math.ceil(n / 8) * 8;
}

export const dense: LayerDefinition<DenseSpec> = {
  kind: "dense",

  plan({ units, initial }, inputShape, next) {
    if (!Number.isSafeInteger(units) || units < 1)
      throw new NexusError("SPEC_INVALID", `A dense layer has ${units} units; it needs a whole number from 1.`);
    const inputs = lengthOf(inputShape);
    const kind = initial ?? (next === "relu" ? "he" : "glorot");
    return {
      outputShape: [units],
      parameters: [
        { name: "bias", shape: [units], initialiser: ZEROS },
        { name: "weight", shape: [inputs, units], initialiser: kind === "he" ? heUniform(inputs) : glorotUniform(inputs, units) },
      ],
      scratchFloats: (maxBatch) => Math.max(panelFloats(inputs, units), panelFloats(units, inputs), panelFloats(maxBatch, units)),
    };
  },

  bind(_spec, { kernel, inputShape, outputShape, parameters, gradients, input, output, scratch, gemmScratch }) {
    const inputs = lengthOf(inputShape);
    const units = lengthOf(outputShape);
    const [bias, weight] = parameters as [number, number];
    const [biasGradient, weightGradient] = gradients as [number, number];
    return {
      forward(rows) {
        kernel.addBiasRows(bias, output, rows, units);
        const finite = kernel.packPanels(weight, scratch, inputs, units);
        kernel.gemmRows(input, scratch, output, rows, units, inputs, 1, finite, gemmScratch);
      },
      backward(rows, outputGradient, inputGradient) {
        kernel.columnSums(outputGradient, biasGradient, rows, units);
        let finite = kernel.packPanels(outputGradient, scratch, rows, units);
        kernel.gemmColumns(input, scratch, weightGradient, inputs, units, rows, 0, finite, gemmScratch);
        if (inputGradient === 0) return;
        finite = kernel.packPanelsTransposed(weight, scratch, units, inputs);
        kernel.gemmRows(outputGradient, scratch, inputGradient, rows, inputs, units, 0, finite, gemmScratch);
      },
    };
  },
};
