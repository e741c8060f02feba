import { z } from "zod";
import { datasetSchema } from "./dataset-schema.ts";

/** What a party says of data that only its own trainer reads: nothing but a description. */
export const opaqueSchema = z.strictObject({
  kind: z.literal("opaque").describe("Only the party's own trainer knows the rows"),
  description: z.string().max(1_000).optional().describe("What the data is, for people"),
});

/** What is registered of a dataset: its rows' schema, or that only the party's own trainer knows them. */
export const registeredSchema = z.union([datasetSchema, opaqueSchema]);

export type OpaqueSchema = z.output<typeof opaqueSchema>;
export type RegisteredSchema = z.output<typeof registeredSchema>;
