import { NexusError, plural } from "@ciphernx/core/errors";
import { randomStream } from "../random/index.ts";
import type { DatasetSchema } from "./dataset-schema.ts";
import type { HoldOut } from "./descriptor.ts";
import { type Examples, takeRows } from "./examples.ts";

export interface HeldOut {
  readonly train: Examples;
  readonly test: Examples;
  /** Which of all rows are the training rows, ascending. */
  readonly trainRows: Uint32Array;
}

/**
 * Draws the rows that are held out for evaluation: ⌊rows × fraction⌋ but at least one, the same for the same number of rows,
 * fraction and seed. Both parts keep the order of the rows.
 * @throws NexusError DATA_INVALID when no row would be left to learn from.
 */
export function holdOutRows(schema: DatasetSchema, all: Examples, { fraction, seed }: HoldOut): HeldOut {
  const held = Math.max(1, Math.floor(all.count * fraction));
  if (held >= all.count) {
    throw new NexusError("DATA_INVALID", `Of ${plural(all.count, "row")} none can be held out with another left to learn from.`, {
      hint: "Take more rows, or leave holdOut out.",
    });
  }
  const order = randomStream(seed, "dataset", "hold-out").shuffle(Uint32Array.from({ length: all.count }, (_, row) => row));
  const trainRows = order.slice(held).toSorted();
  return {
    trainRows,
    train: takeRows(schema, all, trainRows),
    test: takeRows(schema, all, order.slice(0, held).toSorted()),
  };
}
