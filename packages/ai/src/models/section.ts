import { defineSection, sha256Schema } from "@ciphernx/core/spec";
import { z } from "zod";
import { catalogueSchemas } from "./catalogue/index.ts";
import { tensorsSchema } from "./tensors.ts";

/** What is learnt: a network of the catalogue, a list of layers, or tensors of the parties' own trainers. */
export const modelSection = defineSection("model", z.discriminatedUnion("kind", [...catalogueSchemas, tensorsSchema]).describe("The model"));

/** The checkpoint to start from, a safetensors blob that was uploaded before; default: the model's seeded initialisation. */
export const checkpointSection = defineSection("checkpoint", sha256Schema.optional().describe("SHA-256 of the safetensors file to start from"));

export type ModelOptions = z.output<typeof modelSection.schema>;
