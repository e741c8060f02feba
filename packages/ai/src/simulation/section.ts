import { defineSection } from "@ciphernx/core/spec";
import { z } from "zod";
import { partitionSchema } from "../data/partition/index.ts";

/** How one machine stands in for all parties: `nexus sim` and `nexus dataset split` read this; a distributed run ignores it. */
export const simulationSection = defineSection(
  "simulation",
  z
    .strictObject({
      source: z.enum(["mnist"]).describe("Data that is split among the parties"),
      parties: z.int().min(1).max(100_000).describe("How many parties; they are named party-01, party-02, …"),
      partition: partitionSchema.describe("How the training rows are split"),
      examplesPerParty: z.int().min(1).optional().describe("Training rows of each party at most; default all"),
    })
    .optional(),
);

export type SimulationOptions = NonNullable<z.output<typeof simulationSection.schema>>;
