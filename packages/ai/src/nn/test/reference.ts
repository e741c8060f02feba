// A float64 network written from the formulas alone: forward and loss. Gradients come from central differences of it,
// so that nothing of the engine's own backward passes is repeated here.
import type { NetworkSpec } from "../index.ts";
import { type ReferenceParameters, referenceSequence, type ReferenceStep } from "./reference-layers.ts";

export type { ReferenceParameters, ReferenceStep } from "./reference-layers.ts";

/** Outputs of examples, one after the other in evaluation, or together in a step of training. */
export function referenceOutputs(
  spec: NetworkSpec,
  parameters: ReferenceParameters,
  features: readonly (readonly number[])[],
  step?: ReferenceStep,
): readonly (readonly number[])[] {
  return referenceSequence(spec.layers, "layer", { shape: spec.inputShape ?? [spec.inputLength], rows: features }, parameters, step).rows;
}

/** Loss of one example; `target` is a class or a list of values. */
function referenceLoss(spec: NetworkSpec, outputs: readonly number[], target: readonly number[]): number {
  if (spec.loss === "softmax-cross-entropy") {
    return Math.log(outputs.reduce((sum, z) => sum + Math.exp(z), 0)) - outputs[target[0]!]!;
  }
  const losses = outputs.map((z, j) => {
    const t = target[j]!;
    if (spec.loss === "mse") return (z - t) ** 2;
    const p = 1 / (1 + Math.exp(-z));
    return -t * Math.log(p) - (1 - t) * Math.log(1 - p);
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

/** Mean loss of examples. */
export function referenceMeanLoss(
  spec: NetworkSpec,
  parameters: ReferenceParameters,
  features: readonly (readonly number[])[],
  targets: readonly (readonly number[])[],
  step?: ReferenceStep,
): number {
  const losses = referenceOutputs(spec, parameters, features, step).map((outputs, i) => referenceLoss(spec, outputs, targets[i]!));
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

/** Gradient of the mean loss in a step of training by central differences, flat in the order of the map. */
export function referenceGradient(
  spec: NetworkSpec,
  parameters: ReferenceParameters,
  features: readonly (readonly number[])[],
  targets: readonly (readonly number[])[],
  training: ReferenceStep,
): number[] {
  const step = 1e-5;
  const gradient: number[] = [];
  for (const values of parameters.values()) {
    for (const [i, value] of values.entries()) {
      values[i] = value + step;
      const above = referenceMeanLoss(spec, parameters, features, targets, training);
      values[i] = value - step;
      const below = referenceMeanLoss(spec, parameters, features, targets, training);
      values[i] = value;
      gradient.push((above - below) / (2 * step));
    }
  }
  return gradient;
}
