import { nameSchema } from "@ciphernx/core/spec";
import { z } from "zod";

/** A day, as the ISO calendar writes it. */
export const daySchema = z.iso.date("A day is written as 2027-01-31.").describe("A day in UTC, such as 2027-01-31");

/** A kind of something that a run spec names: of a protection, a strategy, a model. */
const kind = z
  .string()
  .regex(/^[a-z][a-zA-Z0-9-]{0,63}$/, "A kind is one word, as run specs write it.")
  .describe("A kind, as run specs write it");

/** What a run is for, in words that the owner of the data and whoever starts the run agree on. */
export const purposeSchema = z.string().trim().min(1).max(200).describe("What the model is for, in the words that the owners of the data allow");

const kinds = z.array(kind).min(1).max(100);

/** Kinds of columns of which a run may have a party's rows counted, before its first round. */
const counted = z.enum(["numbers", "categories"]);

/**
 * What the owner of a dataset allows. The node that holds the rows goes by it, whatever the coordinator says; a term that is left out
 * forbids nothing, and a dataset without terms takes every run.
 */
export const termsSchema = z.strictObject({
  runs: z
    .enum(["any", "approved"])
    .default("approved")
    .describe("approved: only runs that somebody approved at this node (`nexus dataset approve`); any: every run that keeps the other terms"),
  purposes: z.array(purposeSchema).min(1).max(100).optional().describe("Purposes, one of which the run's data.purpose must be, letter by letter"),
  organisations: z
    .array(nameSchema)
    .min(1)
    .max(1000)
    .optional()
    .describe("Organisations of the roster that may take part in a run, beside the node's own"),
  startedBy: z.array(nameSchema).min(1).max(1000).optional().describe("Organisations of the roster that may start a run"),
  protections: kinds.describe("Kinds of protection.kind that suffice; none, which shows the coordinator each update, only where it is listed"),
  maxRounds: z.int().min(1).max(1_000_000).optional().describe("Most rounds of a run"),
  maxEpochs: z.int().min(1).max(1_000).optional().describe("Most passes over the rows in a round"),
  strategies: kinds.optional().describe("Kinds of strategy.kind that are allowed"),
  models: kinds.optional().describe("Kinds of model.kind that are allowed"),
  minHeldOutRows: z
    .int()
    .min(1)
    .max(4_294_967_295)
    .optional()
    .describe("Fewest held-out rows of this dataset with which auc, f1 and calibration are told: their counts say much of few rows"),
  statistics: z
    .array(counted)
    .max(2)
    .optional()
    .describe("Kinds of columns whose training rows may be counted for the spec's preprocess section; an empty list: of none"),
  minCountedRows: z
    .int()
    .min(1)
    .max(4_294_967_295)
    .optional()
    .describe("Fewest training rows of this dataset that are counted for the spec's preprocess section: sums over few rows tell of single ones"),
  expires: daySchema.optional().describe("The last day (UTC) on which the node answers for this dataset"),
});

/** The terms of a dataset, defaults filled in. */
export type DatasetTerms = z.output<typeof termsSchema>;

/** The day (UTC) of a point in time, to compare with those of terms and approvals. */
export function dayOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}
