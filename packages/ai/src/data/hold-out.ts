import { NexusError, plural } from "@ciphernx/core/errors";
import { randomStream } from "../random/index.ts";
import type { DatasetSchema } from "./dataset-schema.ts";
import type { HoldOut } from "./descriptor.ts";
import { type Examples, takeRows, type Targets } from "./examples.ts";

export interface HeldOut {
  readonly train: Examples;
  readonly test: Examples;
  /** Which of all rows are the training rows, ascending. */
  readonly trainRows: Uint32Array;
}

/**
 * Draws the rows that are held out for evaluation, the same for the same rows, fraction and seed: ⌊rows × fraction⌋ but at least one; with
 * `stratify` so many of each class, see `classShares`. Both parts keep the order of the rows.
 * @throws NexusError DATA_INVALID when no row would be left to learn from, or none be held out.
 */
export function holdOutRows(
  schema: DatasetSchema,
  all: Examples,
  { fraction, seed, stratify = false }: HoldOut,
  options: { readonly shared?: boolean } = {},
): HeldOut {
  const order = randomStream(seed, "dataset", "hold-out").shuffle(Uint32Array.from({ length: all.count }, (_, row) => row));
  const held = stratify ? drawByClass(order, all.targets, fraction) : order.slice(0, Math.max(1, Math.floor(all.count * fraction)));
  if (held.length === 0 || held.length >= all.count) {
    throw new NexusError("DATA_INVALID", `Of ${plural(all.count, "row")} none can be held out with another left to learn from.`, {
      hint: stratify ? "Take more rows of a class, or leave holdOut out." : "Take more rows, or leave holdOut out.",
    });
  }
  const isHeld = new Uint8Array(all.count);
  for (const row of held) isHeld[row] = 1;
  const trainRows = Uint32Array.from(order.filter((row) => isHeld[row] === 0)).toSorted();
  return { trainRows, train: takeRows(schema, all, trainRows, options), test: takeRows(schema, all, held.toSorted(), options) };
}

/** Of each class, the first of its rows in a random order. */
function drawByClass(order: Uint32Array, targets: Targets, fraction: number): Uint32Array {
  const left = classShares(targets, fraction);
  return order.filter((row) => {
    const target = targets[row]!;
    const rows = left.get(target)!;
    if (rows === 0) return false;
    left.set(target, rows - 1);
    return true;
  });
}

/** How many rows of each class are held out: the share, rounded, but of two rows or more at least one, and one is left. */
function classShares(targets: Targets, fraction: number): Map<number, number> {
  const counts = new Map<number, number>();
  for (const target of targets) counts.set(target, (counts.get(target) ?? 0) + 1);
  for (const [target, count] of counts) counts.set(target, count < 2 ? 0 : Math.min(count - 1, Math.max(1, Math.round(count * fraction))));
  return counts;
}
