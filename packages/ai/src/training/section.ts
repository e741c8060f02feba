import { defineSection } from "@ciphernx/core/spec";
import { z } from "zod";

const learningRate = z.number().positive().max(1e3).describe("Step size");
const weightDecay = z.number().min(0).max(1).default(0).describe("L2 penalty added to the gradient");

/** The optimiser that runs at each party. Its state starts afresh in every round. */
export const optimiserSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("sgd"),
    learningRate,
    momentum: z.number().min(0).lt(1).default(0).describe("Momentum of the party's own steps"),
    weightDecay,
  }),
  z.strictObject({
    kind: z.literal("adam"),
    learningRate,
    beta1: z.number().min(0).lt(1).default(0.9).describe("Decay of the mean of gradients"),
    beta2: z.number().min(0).lt(1).default(0.999).describe("Decay of the mean of squared gradients"),
    epsilon: z.number().positive().default(1e-8).describe("Keeps the division away from zero"),
    weightDecay,
  }),
]);

/** How each party trains in a round. */
export const trainSection = defineSection(
  "train",
  z.strictObject({
    optimiser: optimiserSchema.describe("Optimiser at the party"),
    batchSize: z.int().min(1).max(65_536).default(32).describe("Examples a step"),
    epochs: z.int().min(1).max(1_000).default(1).describe("Passes over the party's data in a round"),
  }),
);

export type TrainOptions = z.output<typeof trainSection.schema>;
