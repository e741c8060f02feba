import { defineSection, sha256Schema } from "@ciphernx/core/spec";
import { z } from "zod";
import { mlpSchema } from "./mlp.ts";
import { tensorsSchema } from "./tensors.ts";

/** What is learnt. A new kind is one file beside this one and one line here. */
export const modelSection = defineSection("model", z.discriminatedUnion("kind", [mlpSchema, tensorsSchema]).describe("The model"));

/** The checkpoint to start from, a safetensors blob that was uploaded before; default: the model's seeded initialisation. */
export const checkpointSection = defineSection("checkpoint", sha256Schema.optional().describe("SHA-256 of the safetensors file to start from"));

export type ModelOptions = z.output<typeof modelSection.schema>;
