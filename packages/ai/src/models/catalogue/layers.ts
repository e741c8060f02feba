import { NexusError } from "@ciphernx/core/errors";
import type { Refusal } from "@ciphernx/core/spec";
import { z } from "zod";
import { inferShapes, type LayerShapes, type LossKind, type NetworkLayerSpec, type NetworkSpec, type Shape } from "../../nn/index.ts";
import { checkLoss, lossSchema, outputsFit, outputsNeeded } from "../check-labels.ts";
import { checkChannels, checkInputShape, inputShapeSchema, shapeOfRows, shapeText } from "../input-shape.ts";
import type { LearningTask } from "../learning-task.ts";
import { defineModel } from "./catalogue-model.ts";
import { layerPath } from "./layer-path.ts";
import { layerSchema } from "./layer-schema.ts";

/** Layers that take their input as a row of numbers, in whatever order. */
const TAKES_ANY_SHAPE: readonly string[] = ["dense", "flatten"];
/** Layers that do not look at the shape. */
const KEEPS_SHAPE: readonly string[] = ["relu", "tanh", "sigmoid", "dropout"];

/** A network as a list of layers: what none of the named models is. */
export const layers = defineModel({
  schema: z.strictObject({
    kind: z.literal("layers").describe("A list of layers"),
    inputShape: inputShapeSchema,
    layers: z.array(layerSchema).min(1).max(1_000).describe("The layers one behind the other; the last one gives what the labels need"),
    loss: lossSchema,
  }),
  network({ layers: list, inputShape, loss }, task) {
    const wrongOrder = looksAtShape(list) ? checkChannels(task, inputShape) : [];
    if (wrongOrder.length > 0) return { refusals: wrongOrder };
    const wrongInput = inputShape === undefined ? [] : checkInputShape(inputShape, task, shapeOfRows(task));
    if (wrongInput.length > 0) return { refusals: wrongInput };
    const network: NetworkSpec = {
      inputLength: task.inputLength,
      inputShape: inputShape ?? shapeOfRows(task),
      layers: list,
      loss: loss ?? task.loss,
    };
    const refusals = checkLayers(network, network.inputShape!, task);
    return refusals.length === 0 ? network : { refusals };
  },
});

/** Whether it matters to the layers in which order an example's values lie: not when the first that asks makes a row of numbers of them. */
function looksAtShape(list: readonly NetworkLayerSpec[]): boolean {
  const first = list.find(({ kind }) => !KEEPS_SHAPE.includes(kind));
  return first !== undefined && !TAKES_ANY_SHAPE.includes(first.kind);
}

function checkLayers({ layers: list, loss }: NetworkSpec, inputShape: Shape, task: LearningTask): readonly Refusal[] {
  let shapes: readonly LayerShapes[];
  try {
    shapes = inferShapes(list, inputShape);
  } catch (error) {
    if (!(error instanceof NexusError) || error.code !== "SPEC_INVALID") throw error;
    return [
      {
        path: layerPath(error.details ?? {}),
        reason: error.message,
        remedy: `Correct it, or the layers before it; an example goes in as ${shapeText(inputShape)}.`,
      },
    ];
  }
  const { outputShape } = shapes.at(-1)!;
  const outputs = outputShape.reduce((product, size) => product * size, 1);
  const isTrained = shapes.some(({ parameters }) => parameters.some(({ trained }) => trained));
  const editsFor = (wanted: LossKind): NonNullable<Refusal["edits"]> =>
    isTrained && outputsFit(outputs, wanted, task) ? [] : [editOutputs(list, outputsNeeded(wanted, task))];
  const wrongLoss = checkLoss(loss, task, editsFor(task.loss));
  const edits = editsFor(loss);
  if (wrongLoss.length > 0 || edits.length === 0) return wrongLoss;
  return [
    {
      path: edits[0]!.path,
      reason: isTrained
        ? `The last layer, ${list.at(-1)!.kind}, gives ${shapeText(outputShape)}; the dataset's labels need ${outputsNeeded(loss, task)} numbers.`
        : "None of the layers has parameters, so there is nothing to learn.",
      remedy: "End with a dense layer that has as many units.",
      edits,
    },
  ];
}

/** Makes the last layer give so many numbers: a dense one is changed, behind any other comes one. */
function editOutputs(list: readonly NetworkLayerSpec[], units: number): { readonly path: string; readonly value: unknown } {
  const last = list.length - 1;
  return list[last]!.kind === "dense"
    ? { path: `model.layers[${last}].units`, value: units }
    : { path: `model.layers[${last + 1}]`, value: { kind: "dense", units } };
}
