import { z } from "zod";
import { classesOf, labelsText } from "../learning-task.ts";
import { defineModel } from "./catalogue-model.ts";
import { refuseKind } from "./refuse-kind.ts";

/** Linear regression: a weight for each feature and a bias, with the squared error as loss. Labels are numbers. */
export const linear = defineModel({
  schema: z.strictObject({ kind: z.literal("linear").describe("Linear regression: labels are numbers") }),
  network(_options, task) {
    const classes = classesOf(task);
    if (classes !== undefined) {
      const instead = classes === 2 ? "logistic" : "softmax";
      return refuseKind(`Linear regression predicts a number; the labels are ${labelsText(task)}.`, `Use ${instead} regression.`, { kind: instead });
    }
    return { inputLength: task.inputLength, layers: [{ kind: "dense", units: 1 }], loss: "mse" };
  },
});
