import { z } from "zod";
import { cutEvenly, definePartitioner, rowNumbers } from "./partitioner.ts";

/** Every party gets a random sample of the whole; sizes differ by at most one row. */
export const iid = definePartitioner({
  schema: z.strictObject({ kind: z.literal("iid").describe("Rows are dealt at random, in equal parts") }),
  rowsNeeded: (_options, parties) => parties,
  partition: ({ labels, parties, stream }) => cutEvenly(stream("rows").shuffle(rowNumbers(labels.length)), parties),
});
