import { defineSection } from "@ciphernx/core/spec";
import { z } from "zod";

/** How many rounds the run has. */
export const roundsSection = defineSection("rounds", z.int().min(1).max(1_000_000).describe("Number of rounds"));

/** Who takes part in a round, and how long the round waits. */
export const cohortSection = defineSection(
  "cohort",
  z
    .strictObject({
      size: z
        .union([z.literal("all"), z.int().min(1)])
        .default("all")
        .describe("Parties whose updates a round wants; drawn anew each round when fewer than all"),
      quorum: z
        .union([z.literal("all"), z.int().min(1)])
        .default("all")
        .describe("Fewest updates with which a round is committed"),
      overSelect: z.int().min(0).default(0).describe("Parties invited beyond size, so that the slowest need not be waited for"),
      deadlineSeconds: z.number().positive().max(604_800).default(600).describe("Seconds a round waits for updates"),
      attempts: z.int().min(1).max(100).default(3).describe("Times a round is tried before the run fails"),
    })
    .prefault({}),
);

/** When and by what the model is judged on the parties' held-out rows. */
export const evaluateSection = defineSection(
  "evaluate",
  z
    .strictObject({
      every: z
        .int()
        .min(0)
        .default(1)
        .describe(
          "Rounds between evaluations; 0: never. The last round is always evaluated unless 0. In a protected run the parties of the next round judge the model that they start from",
        ),
      metrics: z
        .array(z.string().regex(/^[a-z][a-zA-Z0-9_]{0,31}$/))
        .max(16)
        .refine((names) => new Set(names).size === names.length, "A metric is named once.")
        .default(["loss", "correct"])
        .describe(
          "Figures: loss and correct (shown as accuracy) while training and on held-out rows; auc, f1 and calibration on held-out rows, auc and f1 being those of the second class (of more than two, f1 is the mean over the classes). A model of kind tensors has sums of its trainer's own",
        ),
    })
    .prefault({}),
);

/** What hides an update from the coordinator. */
export const protectionSection = defineSection(
  "protection",
  z
    .discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("none").describe("The coordinator sees each update") }),
      z.strictObject({
        kind: z.literal("secagg").describe("Secure aggregation: the coordinator sees sums over parties alone"),
        kMin: z.int().min(2).max(65_536).default(3).describe("Fewest organisations in a sum"),
        corruption: z
          .number()
          .min(0)
          .lt(0.5)
          .default(1 / 3)
          .describe("Fraction of a round's parties that may collude with the coordinator, without an update of the others being seen"),
        dropout: z.number().min(0).lt(0.5).default(0.1).describe("Fraction of a round's parties that may drop out once keys are exchanged"),
      }),
    ])
    .prefault({ kind: "secagg" })
    .describe("Protection of updates; none must be written out"),
);

/** What is promised of the result's bits. */
export const reproducibilitySection = defineSection(
  "reproducibility",
  z
    .enum(["exact", "any-kernel"])
    .default("exact")
    .describe("exact: every party trains with the coordinator's kernel build; any-kernel: others are accepted, and the run is labelled"),
);
