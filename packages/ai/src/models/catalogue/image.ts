import type { NetworkSpec, Shape } from "../../nn/index.ts";
import { checkChannels, checkInputShape, shapeOfRows, shapeText } from "../input-shape.ts";
import type { LearningTask } from "../learning-task.ts";
import type { Refused } from "./catalogue-model.ts";
import { refuseKind } from "./refuse-kind.ts";

/**
 * The network of a model that learns from images: the layers over [channels, height, width] as the options or the dataset's schema say,
 * and a last dense layer with the outputs that the labels need.
 */
export function imageNetwork(
  { kind, inputShape }: { readonly kind: string; readonly inputShape?: Shape | undefined },
  task: LearningTask,
  layers: NetworkSpec["layers"],
): NetworkSpec | Refused {
  const ofRows = shapeOfRows(task);
  const wrongOrder = checkChannels(task, inputShape);
  if (wrongOrder.length > 0) return { refusals: wrongOrder };
  if (inputShape !== undefined) {
    const refusals = checkInputShape(inputShape, task, ofRows.length === 3 ? ofRows : undefined);
    if (refusals.length > 0) return { refusals };
  } else if (ofRows.length !== 3) {
    return refuseKind(
      `The model ${kind} learns from images, [channels, height, width]; a row of the dataset has the shape ${shapeText(task.shape)}.`,
      "Use a model that takes any features, mlp for example; where the rows are images laid out flat, write their shape to model.inputShape.",
      { kind: "mlp" },
    );
  }
  return {
    inputLength: task.inputLength,
    inputShape: inputShape ?? ofRows,
    layers: [...layers, { kind: "dense", units: task.outputs }],
    loss: task.loss,
  };
}
