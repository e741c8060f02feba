import { classCount, featureLength, type RegisteredSchema } from "../data/index.ts";
import type { LossKind } from "../nn/index.ts";

/** What a dataset's schema says about the network that learns it. */
export interface LearningTask {
  /** Features of one example. */
  readonly inputLength: number;
  /** Classes, or 1 for regression. */
  readonly outputs: number;
  readonly loss: LossKind;
}

/** The learning task of a dataset, or undefined when its schema does not tell. */
export function learningTask(schema: RegisteredSchema): LearningTask | undefined {
  if (schema.kind === "opaque") return undefined;
  const classes = classCount(schema);
  return { inputLength: featureLength(schema), outputs: classes ?? 1, loss: classes === undefined ? "mse" : "softmax-cross-entropy" };
}
