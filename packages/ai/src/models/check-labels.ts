import type { Refusal } from "@ciphernx/core/spec";
import { z } from "zod";
import type { LossKind } from "../nn/index.ts";
import { classesOf, labelsText, type LearningTask } from "./learning-task.ts";

/** The loss as a model's options name it. */
export const lossSchema = z.enum(["softmax-cross-entropy", "bce", "mse"]).optional().describe("Loss; default: as the dataset's schema says");

/**
 * Outputs that the labels need. A row has one label: a class, of which softmax cross-entropy tells as many apart as there are outputs, or
 * a number (also 0 or 1 for one of two classes), which the other losses compare with one output.
 */
export function outputsNeeded(loss: LossKind, task: LearningTask): number {
  return loss === "softmax-cross-entropy" ? task.outputs : 1;
}

/** Whether so many outputs can be judged; softmax cross-entropy may have outputs that no label names. */
export function outputsFit(outputs: number, loss: LossKind, task: LearningTask): boolean {
  const needed = outputsNeeded(loss, task);
  return loss === "softmax-cross-entropy" ? outputs >= needed : outputs === needed;
}

/**
 * A loss that cannot judge the labels, refused.
 * @param edits What else the dataset's own loss would need.
 */
export function checkLoss(loss: LossKind, task: LearningTask, edits: NonNullable<Refusal["edits"]> = []): readonly Refusal[] {
  const classes = classesOf(task);
  if (loss === "softmax-cross-entropy" ? classes !== undefined : classes === undefined || classes === 2) return [];
  return [
    {
      path: "model.loss",
      reason: `The loss ${loss} does not fit labels that are ${labelsText(task)}.`,
      remedy: "Leave the key out to follow the dataset.",
      edits: [{ path: "model.loss", value: task.loss }, ...edits],
    },
  ];
}
