import { z } from "zod";

/** Parameters of a trainer that is not ours: any named tensors, started from zeros or from a checkpoint. */
export const tensorsSchema = z.strictObject({
  kind: z.literal("tensors"),
  tensors: z
    .record(z.string().min(1).max(200), z.array(z.int().min(1)).max(8))
    .refine((tensors) => Object.keys(tensors).length > 0, "Name at least one tensor.")
    .describe("Shape of each tensor by name"),
});
