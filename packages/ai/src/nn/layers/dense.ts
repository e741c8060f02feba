import { type FanInitial, weightInitialiser, ZEROS } from "../initialiser.ts";
import { requireWhole } from "./checks.ts";
import { lengthOf, type LayerDefinition } from "./layer.ts";
import { panelFloats } from "./panel-floats.ts";

/** y = x·W + b over the flattened input; `weight` is [inputs, units], `bias` is [units]. */
export interface DenseSpec {
  readonly kind: "dense";
  readonly units: number;
  /** Default: `he` when a ReLU follows, else `glorot`. Both uniform. */
  readonly initial?: FanInitial;
}

export const dense: LayerDefinition<DenseSpec> = {
  kind: "dense",

  plan({ units, initial }, inputShape, planning) {
    requireWhole(planning, "units", units);
    const inputs = lengthOf(inputShape);
    return {
      outputShape: [units],
      parameters: [
        { name: "bias", shape: [units], initialiser: ZEROS },
        { name: "weight", shape: [inputs, units], initialiser: weightInitialiser(initial, planning.next, inputs, units) },
      ],
      scratchFloats: (maxBatch) => Math.max(panelFloats(inputs, units), panelFloats(units, inputs), panelFloats(maxBatch, units)),

      bind({ kernel, parameters, gradients, input, output, scratch, gemmScratch }) {
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
  },
};
