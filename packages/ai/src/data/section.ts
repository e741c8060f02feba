import { defineSection, nameSchema } from "@ciphernx/core/spec";
import { z } from "zod";
import { purposeSchema } from "./terms.ts";

/** Which data the run learns from: references that every party resolves on its own machine. */
export const dataSection = defineSection(
  "data",
  z.strictObject({
    dataset: nameSchema.describe("The name under which each party registered its part"),
    purpose: purposeSchema.optional(),
    parties: z
      .union([z.literal("all"), z.array(nameSchema).min(1).max(100_000)])
      .default("all")
      .describe("The parties by name, or all that have registered the dataset"),
  }),
);
