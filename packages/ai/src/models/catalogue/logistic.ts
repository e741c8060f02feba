import { z } from "zod";
import { classesOf, labelsText } from "../learning-task.ts";
import { defineModel } from "./catalogue-model.ts";
import { refuseKind } from "./refuse-kind.ts";

/**
 * Logistic regression in its textbook form: one output, of which the sigmoid is the probability of the second class, with binary
 * cross-entropy as loss. `softmax` on two classes is the same model with every parameter twice.
 */
export const logistic = defineModel({
  schema: z.strictObject({ kind: z.literal("logistic").describe("Logistic regression: two classes") }),
  network(_options, task) {
    const classes = classesOf(task);
    if (classes !== 2) {
      const instead = classes === undefined ? "linear" : "softmax";
      return refuseKind(`Logistic regression tells two classes apart; the labels are ${labelsText(task)}.`, `Use ${instead} regression.`, {
        kind: instead,
      });
    }
    return { inputLength: task.inputLength, layers: [{ kind: "dense", units: 1 }], loss: "bce" };
  },
});
