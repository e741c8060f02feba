import type { Address, KernelExports } from "../kernel-exports.ts";
import { lengthOf, type LayerDefinition } from "./layer.ts";

/** A layer without parameters that maps each value by itself and whose derivative follows from its output. */
export function activation<Kind extends string>(
  kind: Kind,
  forward: (kernel: KernelExports) => (x: Address, y: Address, count: number) => void,
  backward: (kernel: KernelExports) => (y: Address, dy: Address, dx: Address, count: number) => void,
): LayerDefinition<{ readonly kind: Kind }> {
  return {
    kind,
    plan: (_spec, inputShape) => ({
      outputShape: inputShape,
      parameters: [],
      bind({ kernel, input, output }) {
        const length = lengthOf(inputShape);
        const run = forward(kernel);
        const runBack = backward(kernel);
        return {
          forward: (rows) => run(input, output, rows * length),
          backward: (rows, outputGradient, inputGradient) => {
            if (inputGradient !== 0) runBack(output, outputGradient, inputGradient, rows * length);
          },
        };
      },
    }),
  };
}
