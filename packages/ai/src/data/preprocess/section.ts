import { defineSection } from "@ciphernx/core/spec";
import { z } from "zod";

const numberImpute = z
  .enum(["mean", "median", "none"])
  .describe("What stands in for a missing number: the mean or the median of the known ones; none: no cell may be missing");
const scaling = z
  .enum(["standard", "robust", "none"])
  .describe(
    "standard: minus the mean, divided by the standard deviation; robust: minus the median, divided by the interquartile range (the standard deviation where quartiles lie in one bin); none: as it is",
  );
const indicate = z.boolean().describe("Whether one more feature says with 1 that the cell was missing");
const categoryImpute = z
  .enum(["mode", "category", "none"])
  .describe("What stands in for a missing category: the most frequent one, or a category of its own; none: no cell may be missing");
const clip = z
  .tuple([z.number(), z.number()])
  .refine(([low, high]) => low < high, "The lower end comes first.")
  .describe("Smaller and larger numbers are moved to these ends; default: the range that the schema declares");

/** What is done otherwise with one column. Which keys it may have follows from the column's type. */
const columnOptions = z.strictObject({
  impute: z.enum(["mean", "median", "mode", "category", "none"]).optional().describe("What stands in for a missing cell of this column"),
  scale: scaling.optional(),
  clip: clip.optional(),
  indicate: indicate.optional(),
});

/**
 * How the rows of a table become the inputs of a network. What it takes of the rows (means, medians, modes) is computed once, before the
 * first round, from the training rows of all parties: each uploads counts and sums, encoded and added like updates.
 */
export const preprocessSection = defineSection(
  "preprocess",
  z
    .strictObject({
      numbers: z
        .strictObject({ impute: numberImpute.default("median"), scale: scaling.default("standard"), indicate: indicate.default(false) })
        .prefault({})
        .describe("Columns of numbers"),
      categories: z
        .strictObject({ impute: categoryImpute.default("mode") })
        .prefault({})
        .describe("Columns of categories; each becomes one feature a category (one-hot)"),
      columns: z.record(z.string().min(1).max(256), columnOptions).default({}).describe("Columns that are treated otherwise, by name"),
      bins: z
        .int()
        .min(16)
        .max(4_096)
        .refine((bins) => bins % 16 === 0, "A multiple of 16.")
        .default(256)
        .describe("Bins of the histogram over a number's range; medians and quartiles are exact to a bin's width"),
    })
    .optional()
    .describe("How rows of a table become inputs: what fills gaps, scaling, one-hot; default: the values as they are"),
);

export type PreprocessOptions = NonNullable<(typeof preprocessSection)["schema"]["_output"]>;
