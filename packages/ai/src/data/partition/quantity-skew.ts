/**
 * Quantity skew: every party has a random sample of the whole, but the sizes of the samples are one draw of Dir(α). A small α gives
 * a few parties nearly everything.
 *
 * Source: Li, Diao, Chen, He, "Federated learning on non-IID data silos: an experimental study", ICDE 2022, §IV-D.
 *
 * @module
 */
import { z } from "zod";
import { dealShares } from "./deal-shares.ts";
import { definePartitioner, rowNumbers } from "./partitioner.ts";

export const quantitySkew = definePartitioner({
  schema: z.strictObject({
    kind: z.literal("quantity-skew").describe("Rows are dealt at random, in parts whose sizes are drawn from Dirichlet(alpha)"),
    alpha: z.number().min(1e-3).max(1e6).default(0.5).describe("Evenness of the sizes: 0.1 is very skewed, 0.5 hard, 10 mild"),
    minExamples: z.int().min(1).max(1_000_000).default(1).describe("Fewest rows of a party"),
  }),
  rowsNeeded: (options, parties) => parties * options.minExamples,
  partition: ({ labels, parties, options, stream }) =>
    dealShares([stream("rows").shuffle(rowNumbers(labels.length))], { ...options, parties, stream }),
});
