import type { Refusal } from "@ciphernx/core/spec";
import type { RegisteredSchema } from "../data/index.ts";
import { type LossKind, networkLayout, type NetworkSpec } from "../nn/index.ts";
import { parameterLayout } from "../tensor/index.ts";
import { type LearningTask, learningTask } from "./learning-task.ts";
import { mlpNetwork } from "./mlp.ts";
import type { ModelOptions } from "./section.ts";

/** The tensors of a model, and the network that trains them when it is one of ours. */
export interface ModelShape {
  readonly network?: NetworkSpec;
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly parameters: number;
}

type NetworkOptions = Exclude<ModelOptions, { kind: "tensors" }>;

/** Resolves a model against the dataset it learns from: shapes inferred, or why they cannot be. */
export function modelShape(model: ModelOptions, schema: RegisteredSchema): ModelShape | { readonly refusals: readonly Refusal[] } {
  if (model.kind === "tensors") {
    const layout = parameterLayout(Object.entries(model.tensors));
    return { tensors: layout.entries.map(({ name, shape }) => ({ name, shape })), parameters: layout.length };
  }
  const task = learningTask(schema);
  if (task === undefined) {
    return {
      refusals: [
        {
          path: "model.kind",
          reason: "The dataset's schema does not say what its rows hold, so only the parties' own trainers can learn from it.",
          remedy: "Use a model of kind tensors with a trainer of your own, or register the data with a schema.",
        },
      ],
    };
  }
  const network = mlpNetwork(model, task);
  const refusals = [...checkInputs(model, task), ...checkOutputs(model, task, network.loss)];
  if (refusals.length > 0) return { refusals };
  const layout = networkLayout(network);
  return { network, tensors: layout.entries.map(({ name, shape }) => ({ name, shape })), parameters: layout.length };
}

function checkInputs({ inputs = 0 }: NetworkOptions, { inputLength }: LearningTask): readonly Refusal[] {
  if (inputs === 0 || inputs === inputLength) return [];
  return [
    {
      path: "model.inputs",
      reason: `The model takes ${inputs} features, the dataset has ${inputLength}.`,
      remedy: "Leave the key out to follow the dataset.",
      edits: [{ path: "model.inputs", value: inputLength }],
    },
  ];
}

/**
 * A row has one label: a class, of which softmax cross-entropy tells as many apart as there are outputs, or a number (also 0 or 1 for
 * one of two classes), which the other losses compare with one output.
 */
function checkOutputs({ outputs }: NetworkOptions, task: LearningTask, loss: LossKind): readonly Refusal[] {
  const classes = task.loss === "softmax-cross-entropy" ? task.outputs : undefined;
  const fits = loss === "softmax-cross-entropy" ? classes !== undefined : classes === undefined || classes === 2;
  if (!fits) {
    return [
      {
        path: "model.loss",
        reason: `The loss ${loss} does not fit labels that are ${classes === undefined ? "numbers" : `one of ${classes} classes`}.`,
        remedy: "Leave the key out to follow the dataset.",
        edits: [{ path: "model.loss", value: task.loss }, ...(outputs === undefined ? [] : [{ path: "model.outputs", value: task.outputs }])],
      },
    ];
  }
  const needed = loss === "softmax-cross-entropy" ? task.outputs : 1;
  if (outputs === undefined || outputs === needed || (loss === "softmax-cross-entropy" && outputs > needed)) return [];
  return [
    {
      path: "model.outputs",
      reason: `The model has ${outputs} outputs, the dataset's labels need ${needed}.`,
      remedy: "Leave the key out to follow the dataset.",
      edits: [{ path: "model.outputs", value: needed }],
    },
  ];
}
