import { defineSection } from "@ciphernx/core/spec";
import { z } from "zod";

const learningRate = z.number().positive().max(1e3).describe("Step size");
const weightDecay = z.number().min(0).max(1).default(0).describe("L2 penalty added to the gradient");

const adamSettings = {
  learningRate,
  beta1: z.number().min(0).lt(1).default(0.9).describe("Decay of the mean of gradients"),
  beta2: z.number().min(0).lt(1).default(0.999).describe("Decay of the mean of squared gradients"),
  epsilon: z.number().positive().default(1e-8).describe("Keeps the division away from zero"),
};

/** The optimiser that runs at each party. Its state starts afresh in every round. */
export const optimiserSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("sgd"),
    learningRate,
    momentum: z.number().min(0).lt(1).default(0).describe("Momentum of the party's own steps"),
    weightDecay,
  }),
  z.strictObject({ kind: z.literal("adam"), ...adamSettings, weightDecay }),
  z.strictObject({
    kind: z.literal("adamw"),
    ...adamSettings,
    weightDecay: z
      .number()
      .min(0)
      .max(1)
      .default(0.01)
      .describe("How much of the parameters a step of learning rate 1 takes away, apart from the gradient"),
  }),
]);

/** How the learning rate changes from round to round. What a party does within a round has one rate. */
export const scheduleSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("constant").describe("The same in all rounds") }),
  z.strictObject({
    kind: z.literal("step").describe("Smaller after every so many rounds"),
    every: z.int().min(1).max(1_000_000).describe("Rounds between two changes"),
    factor: z.number().positive().max(1).describe("What the learning rate is multiplied with at each change"),
  }),
  z.strictObject({
    kind: z.literal("cosine").describe("Along half a wave of the cosine, from the whole learning rate to its floor"),
    length: z.int().min(1).max(1_000_000).optional().describe("Rounds until the floor is reached; default: all rounds of the run"),
    floor: z.number().min(0).max(1).default(0).describe("Share of the learning rate that is left at the end"),
  }),
]);

/** How each party trains in a round. */
export const trainSection = defineSection(
  "train",
  z.strictObject({
    optimiser: optimiserSchema.describe("Optimiser at the party"),
    schedule: scheduleSchema.optional().describe("How the optimiser's learning rate changes from round to round; default: not at all"),
    batchSize: z.int().min(1).max(65_536).default(32).describe("Examples a step"),
    epochs: z.int().min(1).max(1_000).default(1).describe("Passes over the party's data in a round"),
  }),
);

export type TrainOptions = z.output<typeof trainSection.schema>;
