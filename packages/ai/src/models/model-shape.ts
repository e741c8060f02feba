import type { Refusal } from "@ciphernx/core/spec";
import type { RegisteredSchema } from "../data/index.ts";
import { networkLayout, type NetworkSpec } from "../nn/index.ts";
import { parameterLayout } from "../tensor/index.ts";
import { learningTask } from "./learning-task.ts";
import { mlpNetwork } from "./mlp.ts";
import type { ModelOptions } from "./section.ts";

/** The tensors of a model, and the network that trains them when it is one of ours. */
export interface ModelShape {
  readonly network?: NetworkSpec;
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly parameters: number;
}

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
  if (model.inputs !== undefined && model.inputs !== task.inputLength) {
    return {
      refusals: [
        {
          path: "model.inputs",
          reason: `The model takes ${model.inputs} features, the dataset has ${task.inputLength}.`,
          remedy: "Leave the key out to follow the dataset.",
          edits: [{ path: "model.inputs", value: task.inputLength }],
        },
      ],
    };
  }
  const network = mlpNetwork(model, task);
  const outputs = model.outputs ?? task.outputs;
  if (network.loss === "softmax-cross-entropy" ? outputs < task.outputs : outputs !== task.outputs) {
    return {
      refusals: [
        {
          path: "model.outputs",
          reason: `The model has ${outputs} outputs, the dataset's labels need ${task.outputs}.`,
          remedy: "Leave the key out to follow the dataset.",
          edits: [{ path: "model.outputs", value: task.outputs }],
        },
      ],
    };
  }
  const layout = networkLayout(network);
  return { network, tensors: layout.entries.map(({ name, shape }) => ({ name, shape })), parameters: layout.length };
}
