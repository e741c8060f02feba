import { z } from "zod";
import type { LayerSpec, NetworkSpec } from "../nn/index.ts";
import type { LearningTask } from "./learning-task.ts";

/** Multi-layer perceptron; with no hidden layer it is softmax (or linear) regression. */
export const mlpSchema = z.strictObject({
  kind: z.literal("mlp"),
  hidden: z.array(z.int().min(1).max(65_536)).max(64).default([128]).describe("Units of each hidden layer"),
  activation: z.enum(["relu", "tanh", "sigmoid"]).default("relu").describe("Activation after each hidden layer"),
  inputs: z.int().min(1).max(10_000_000).optional().describe("Features of an example; default: as the dataset's schema says"),
  outputs: z.int().min(1).max(1_000_000).optional().describe("Outputs; default: as the dataset's schema says"),
  loss: z.enum(["softmax-cross-entropy", "bce", "mse"]).optional().describe("Loss; default: as the dataset's schema says"),
});

/** The network of an MLP for a learning task. */
export function mlpNetwork(options: z.output<typeof mlpSchema>, task: LearningTask): NetworkSpec {
  const layers: LayerSpec[] = options.hidden.flatMap((units) => [{ kind: "dense", units }, { kind: options.activation }] as LayerSpec[]);
  const loss = options.loss ?? task.loss;
  layers.push({ kind: "dense", units: options.outputs ?? (loss === "softmax-cross-entropy" ? task.outputs : 1) });
  return { inputLength: options.inputs ?? task.inputLength, layers, loss };
}
