import { z } from "zod";
import { classesOf, labelsText } from "../learning-task.ts";
import { defineModel } from "./catalogue-model.ts";
import { refuseKind } from "./refuse-kind.ts";

/** Softmax (multinomial logistic) regression: an output for each class, with cross-entropy as loss. */
export const softmax = defineModel({
  schema: z.strictObject({ kind: z.literal("softmax").describe("Softmax regression: two classes or more") }),
  network(_options, task) {
    const classes = classesOf(task);
    if (classes === undefined) {
      return refuseKind(`Softmax regression tells classes apart; the labels are ${labelsText(task)}.`, "Use linear regression.", { kind: "linear" });
    }
    return { inputLength: task.inputLength, layers: [{ kind: "dense", units: classes }], loss: "softmax-cross-entropy" };
  },
});
