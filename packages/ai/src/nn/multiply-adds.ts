import type { LayerShapes } from "./infer-shapes.ts";
import { lengthOf, type Shape } from "./layers/index.ts";

/**
 * Multiply-adds of a layer's forward pass for one example, biases among them. What visits each value once or twice (activations,
 * dropout, flatten, the sum of a residual block, token vectors) counts as nothing beside the sums of the layers around it; training
 * takes about three times as many, two of them backward. Pure.
 */
export function multiplyAdds({ kind, inputShape, outputShape, parameters, inner }: LayerShapes): number {
  switch (kind) {
    case "dense":
      return countOf(parameters);
    case "conv2d":
    case "depthwise-conv2d":
      // Each weight and bias once at every position of the window.
      return countOf(parameters) * lengthOf(outputShape.slice(1));
    case "group-norm":
    case "batch-norm":
      // Mean, variance, and the value itself.
      return 3 * lengthOf(inputShape);
    case "max-pool":
    case "average-pool":
    case "global-average-pool":
      return lengthOf(inputShape);
    case "residual":
      return inner.reduce((sum, layer) => sum + multiplyAdds(layer), 0);
    default:
      return 0;
  }
}

function countOf(parameters: readonly { readonly shape: Shape }[]): number {
  return parameters.reduce((sum, { shape }) => sum + lengthOf(shape), 0);
}
