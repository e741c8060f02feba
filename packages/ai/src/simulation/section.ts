import { defineSection, nameSchema } from "@ciphernx/core/spec";
import { z } from "zod";
import { holdOutSchema } from "../data/descriptor.ts";
import { partitionSchema } from "../data/partition/index.ts";
import { SOURCE_NAMES } from "../data/source-names.ts";

const path = z.string().min(1).max(4_096).describe("A file, absolute or relative to the spec's folder");

/** Files of one's own that a simulation splits. */
const sourceFiles = z.strictObject({
  data: z
    .union([path, z.array(path).min(1).max(10_000)])
    .describe("Files with the rows, their format told by their names, as `nexus dataset add --data` takes them"),
  schema: path.describe("YAML or JSON file with the schema of the rows"),
});

/** How one machine stands in for all parties: `nexus sim` and `nexus dataset split` read this; a distributed run ignores it. */
export const simulationSection = defineSection(
  "simulation",
  z
    .strictObject({
      source: z.union([z.enum(SOURCE_NAMES), sourceFiles]).describe("Data that is split among the parties: built in, or files of your own"),
      parties: z
        .union([z.int().min(1).max(100_000), z.array(nameSchema).min(1).max(100_000)])
        .describe("How many parties, named party-01, party-02, …; or their names"),
      partition: partitionSchema.describe("How the training rows are split"),
      examplesPerParty: z.int().min(1).optional().describe("Training rows of each party at most; default all"),
      holdOut: holdOutSchema.optional().describe("Rows that each party holds out where the source has no test rows"),
    })
    .optional(),
);

export type SimulationOptions = NonNullable<z.output<typeof simulationSection.schema>>;
