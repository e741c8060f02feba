import { NexusError } from "@ciphernx/core/errors";
import type { Refusal } from "@ciphernx/core/spec";
import type { RegisteredSchema } from "../data/index.ts";
import { networkLayout, type NetworkSpec } from "../nn/index.ts";
import { parameterLayout } from "../tensor/index.ts";
import { catalogueNetwork, type Refused } from "./catalogue/index.ts";
import { shapeText } from "./input-shape.ts";
import { learningTask } from "./learning-task.ts";
import type { ModelOptions } from "./section.ts";

/** The tensors of a model, and the network that trains them when it is one of ours. */
export interface ModelShape {
  readonly network?: NetworkSpec;
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly parameters: number;
}

/**
 * Resolves a model against the dataset it learns from: shapes inferred, or why they cannot be.
 * @param prepared features of a row after preprocessing, where there is any
 */
export function modelShape(model: ModelOptions, schema: RegisteredSchema, prepared?: number): ModelShape | Refused {
  if (model.kind === "tensors") {
    const layout = parameterLayout(Object.entries(model.tensors));
    return { tensors: layout.entries.map(({ name, shape }) => ({ name, shape })), parameters: layout.length };
  }
  const task = learningTask(schema, prepared);
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
  const network = catalogueNetwork(model, task);
  return "refusals" in network ? network : shapeOf(model.kind, network);
}

/** The tensors of a network, or a refusal where its layers do not follow one from the other on such examples. */
function shapeOf(kind: string, network: NetworkSpec): ModelShape | Refused {
  try {
    const layout = networkLayout(network);
    return { network, tensors: layout.entries.map(({ name, shape }) => ({ name, shape })), parameters: layout.length };
  } catch (error) {
    if (!(error instanceof NexusError) || error.code !== "SPEC_INVALID") throw error;
    return { refusals: [misfit(kind, network, error.message)] };
  }
}

function misfit(kind: string, { inputLength, inputShape = [inputLength] }: NetworkSpec, message: string): Refusal {
  return {
    path: "model.kind",
    reason: `The model ${kind} cannot be made for an example of shape ${shapeText(inputShape)}: ${message}`,
    remedy: "Choose other options, or a model that takes such examples.",
  };
}
