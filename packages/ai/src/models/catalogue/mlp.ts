import { z } from "zod";
import type { LayerSpec } from "../../nn/index.ts";
import { checkLoss, lossSchema, outputsFit, outputsNeeded } from "../check-labels.ts";
import type { LearningTask } from "../learning-task.ts";
import { activationSchema } from "./activation.ts";
import { defineModel } from "./catalogue-model.ts";

const schema = z.strictObject({
  kind: z.literal("mlp"),
  hidden: z.array(z.int().min(1).max(65_536)).max(64).default([128]).describe("Units of each hidden layer"),
  activation: activationSchema.default("relu").describe("Activation after each hidden layer"),
  inputs: z.int().min(1).max(10_000_000).optional().describe("Features of an example; default: as the dataset's schema says"),
  outputs: z.int().min(1).max(1_000_000).optional().describe("Outputs; default: as the dataset's schema says"),
  loss: lossSchema,
});

type Options = z.output<typeof schema>;

/** Multi-layer perceptron over all values of an example in a row; with no hidden layer it is softmax (or linear) regression. */
export const mlp = defineModel({
  schema,
  network(options, task) {
    const { hidden, activation, inputs, outputs, loss = task.loss } = options;
    const refusals = [...checkInputs(inputs, task), ...checkOutputs(options, task)];
    if (refusals.length > 0) return { refusals };
    const layers = hidden.flatMap((units): LayerSpec[] => [{ kind: "dense", units }, { kind: activation }]);
    return {
      inputLength: inputs ?? task.inputLength,
      layers: [...layers, { kind: "dense", units: outputs ?? outputsNeeded(loss, task) }],
      loss,
    };
  },
});

function checkInputs(inputs: number | undefined, { inputLength }: LearningTask) {
  if (inputs === undefined || inputs === inputLength) return [];
  return [
    {
      path: "model.inputs",
      reason: `The model takes ${inputs} features, the dataset has ${inputLength}.`,
      remedy: "Leave the key out to follow the dataset.",
      edits: [{ path: "model.inputs", value: inputLength }],
    },
  ];
}

function checkOutputs({ outputs, loss }: Options, task: LearningTask) {
  const wanted = loss ?? task.loss;
  const wrong = checkLoss(wanted, task, outputs === undefined ? [] : [{ path: "model.outputs", value: task.outputs }]);
  if (wrong.length > 0 || outputs === undefined || outputsFit(outputs, wanted, task)) return wrong;
  const needed = outputsNeeded(wanted, task);
  return [
    {
      path: "model.outputs",
      reason: `The model has ${outputs} outputs, the dataset's labels need ${needed}.`,
      remedy: "Leave the key out to follow the dataset.",
      edits: [{ path: "model.outputs", value: needed }],
    },
  ];
}
