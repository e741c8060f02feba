import { defineSection } from "@ciphernx/core/spec";
import { z } from "zod";

/** How a party writes its update as integers; everyone after it only adds them. */
export const encodingSection = defineSection(
  "encoding",
  z
    .strictObject({
      range: z
        .number()
        .positive()
        .max(1e6)
        .default(1)
        .describe("Largest magnitude of a weighted coordinate, weight/maxWeight × change of a parameter; beyond it is clipped and counted"),
      bits: z.int().min(8).max(32).default(32).describe("Bits of one coordinate, sign included"),
      rounding: z.enum(["nearest", "stochastic"]).default("nearest").describe("nearest: ties to even; stochastic: unbiased, seeded"),
      maxWeight: z
        .union([z.literal("auto"), z.int().min(1).max(4_294_967_295)])
        .default("auto")
        .describe("Bound of a party's weight in examples; auto: the largest training set that is registered"),
    })
    .prefault({}),
);

export type EncodingOptions = z.output<typeof encodingSection.schema>;
