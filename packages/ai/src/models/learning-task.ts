import { classCount, featureLength, type RegisteredSchema } from "../data/index.ts";
import type { LossKind, Shape } from "../nn/index.ts";

/** What a dataset's schema says about the network that learns it. */
export interface LearningTask {
  /** Shape of one example: that of a tensor as declared, the number of features of a table. */
  readonly shape: Shape;
  /** Features of one example. */
  readonly inputLength: number;
  /** Classes, or 1 for regression. */
  readonly outputs: number;
  readonly loss: LossKind;
}

/**
 * The learning task of a dataset, or undefined when its schema does not tell.
 * @param prepared features of a row after preprocessing, where there is any
 */
export function learningTask(schema: RegisteredSchema, prepared?: number): LearningTask | undefined {
  if (schema.kind === "opaque") return undefined;
  const classes = classCount(schema);
  const inputLength = prepared ?? featureLength(schema);
  return {
    shape: schema.kind === "tensor" ? schema.shape : [inputLength],
    inputLength,
    outputs: classes ?? 1,
    loss: classes === undefined ? "mse" : "softmax-cross-entropy",
  };
}

/** Number of classes of a task, or undefined where labels are numbers. */
export function classesOf({ loss, outputs }: LearningTask): number | undefined {
  return loss === "softmax-cross-entropy" ? outputs : undefined;
}

/** What the labels of a task are, for people. */
export function labelsText(task: LearningTask): string {
  const classes = classesOf(task);
  return classes === undefined ? "numbers" : `one of ${classes} classes`;
}
