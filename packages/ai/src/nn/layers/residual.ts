import { createMemoryPlan } from "../memory-plan.ts";
import { shapeText } from "./checks.ts";
import type { LayerSpec } from "./index.ts";
import { lengthOf, type LayerDefinition, type LayerPlan } from "./layer.ts";

/**
 * A residual block (He, Zhang, Ren, Sun 2016): what `layers` make of the input, plus the input itself, or plus what
 * `shortcut` makes of it where the shape changes. Tensors are named `layer3.layer0.weight` and `layer3.shortcut0.weight`.
 */
export interface ResidualSpec {
  readonly kind: "residual";
  readonly layers: readonly LayerSpec[];
  /** Default none: the input as it is. */
  readonly shortcut?: readonly LayerSpec[];
}

export const residual: LayerDefinition<ResidualSpec> = {
  kind: "residual",

  plan(spec, inputShape, planning): LayerPlan {
    if (spec.layers.length === 0) throw planning.refuse("has no layers inside.");
    const body = planning.sequence(spec.layers, inputShape, "layer");
    const shortcut = planning.sequence(spec.shortcut ?? [], inputShape, "shortcut");
    if (shapeText(body.outputShape) !== shapeText(shortcut.outputShape)) {
      const beside = shortcut.layers.length === 0 ? "the input that is added has" : "its shortcut gives";
      throw planning.refuse(
        `is given ${shapeText(inputShape)} and its layers give ${shapeText(body.outputShape)}; ${beside} ${shapeText(shortcut.outputShape)}.`,
        {
          given: [...body.outputShape],
          wanted: [...shortcut.outputShape],
        },
      );
    }
    const inputLength = lengthOf(inputShape);
    const outputLength = lengthOf(body.outputShape);
    const isIdentity = shortcut.layers.length === 0;

    function placeKept(maxBatch: number, base: number) {
      const memory = createMemoryPlan(base);
      const bodyKept = memory.floats(body.keptFloats(maxBatch));
      // Not the block's own output: the last layer reads what it wrote when the gradient comes back.
      const bodyOutput = memory.floats(maxBatch * outputLength);
      const shortcutKept = memory.floats(isIdentity ? 0 : shortcut.keptFloats(maxBatch));
      const shortcutOutput = memory.floats(isIdentity ? 0 : maxBatch * outputLength);
      return { bodyKept, bodyOutput, shortcutKept, shortcutOutput, end: memory.end };
    }

    /** The gradient that comes back through the shortcut, before that of the layers. */
    function placeGradient(maxBatch: number, base: number) {
      const memory = createMemoryPlan(base);
      const gradient = memory.floats(isIdentity ? 0 : maxBatch * inputLength);
      return { gradient, end: memory.end };
    }

    return {
      outputShape: body.outputShape,
      parameters: [...body.parameters, ...shortcut.parameters],
      draws: body.draws || shortcut.draws,
      inner: [...body.layers, ...shortcut.layers],
      keptFloats: (maxBatch) => placeKept(maxBatch, 0).end / 4,
      scratchFloats: (maxBatch) =>
        placeGradient(maxBatch, 0).end / 4 + Math.max(body.scratchFloats(maxBatch), isIdentity ? 0 : shortcut.scratchFloats(maxBatch)),

      bind(context) {
        const { kernel, maxBatch, input, output } = context;
        const { bodyKept, bodyOutput, shortcutKept, shortcutOutput } = placeKept(maxBatch, context.kept);
        const { gradient, end: scratch } = placeGradient(maxBatch, context.scratch);
        const own = body.parameters.length;
        const layers = body.bind({
          ...context,
          scratch,
          kept: bodyKept,
          output: bodyOutput,
          parameters: context.parameters.slice(0, own),
          gradients: context.gradients.slice(0, own),
        });
        const around = isIdentity
          ? undefined
          : shortcut.bind({
              ...context,
              scratch,
              kept: shortcutKept,
              output: shortcutOutput,
              parameters: context.parameters.slice(own),
              gradients: context.gradients.slice(own),
            });
        return {
          forward(rows, step) {
            layers.forward(rows, step);
            around?.forward(rows, step);
            kernel.add(bodyOutput, around === undefined ? input : shortcutOutput, output, rows * outputLength);
          },
          backward(rows, outputGradient, inputGradient) {
            layers.backward(rows, outputGradient, inputGradient);
            around?.backward(rows, outputGradient, inputGradient === 0 ? 0 : gradient);
            if (inputGradient !== 0) kernel.add(inputGradient, around === undefined ? outputGradient : gradient, inputGradient, rows * inputLength);
          },
          afterUpdate() {
            layers.afterUpdate?.();
            around?.afterUpdate?.();
          },
        };
      },
    };
  },
};
