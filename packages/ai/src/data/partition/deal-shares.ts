import { dirichlet } from "../../random/index.ts";
import type { PartitionInput } from "./partitioner.ts";

/** Draws that are tried until every party has enough rows; after them rows are moved from the largest parties. */
const MAX_DRAWS = 20;

export interface ShareOptions extends Pick<PartitionInput<unknown>, "parties" | "stream"> {
  /** Evenness of the shares. */
  readonly alpha: number;
  /** Fewest rows of a party. */
  readonly minExamples: number;
}

/** Deals each list of rows to the parties in shares that are one draw of Dir(alpha), in the order of the list. */
export function dealShares(lists: readonly Uint32Array[], options: ShareOptions): Uint32Array[] {
  return deal(lists, drawSizes(lists, options), options.parties);
}

/** How many rows of each list each party gets: `sizes[list][party]`. */
function drawSizes(lists: readonly Uint32Array[], { parties, alpha, minExamples, stream }: ShareOptions): readonly Uint32Array[] {
  let sizes: readonly Uint32Array[] = [];
  for (let draw = 0; draw < MAX_DRAWS; draw += 1) {
    const random = stream("shares", draw);
    sizes = lists.map((rows) => sharesToCounts(dirichlet(random, alpha, parties), rows.length));
    if (totals(sizes, parties).every((total) => total >= minExamples)) return sizes;
  }
  return fillUp(sizes, parties, minExamples);
}

/** Whole numbers that follow the cumulated shares and sum to `count`. */
function sharesToCounts(shares: Float64Array, count: number): Uint32Array {
  const counts = new Uint32Array(shares.length);
  let cumulated = 0;
  let start = 0;
  for (let party = 0; party < shares.length; party += 1) {
    cumulated += shares[party]!;
    const end = party === shares.length - 1 ? count : Math.min(count, Math.floor(cumulated * count));
    counts[party] = end - start;
    start = end;
  }
  return counts;
}

function totals(sizes: readonly Uint32Array[], parties: number): Float64Array {
  const sums = new Float64Array(parties);
  for (const counts of sizes) for (let party = 0; party < parties; party += 1) sums[party] = sums[party]! + counts[party]!;
  return sums;
}

/** Moves single rows from the largest party's largest list to each party that lacks some; ties go to the first. */
function fillUp(sizes: readonly Uint32Array[], parties: number, minExamples: number): readonly Uint32Array[] {
  const sums = totals(sizes, parties);
  for (let poor = 0; poor < parties; poor += 1) {
    while (sums[poor]! < minExamples) {
      const rich = indexOfLargest(sums);
      const counts = sizes[indexOfLargest(sizes.map((of) => of[rich]!))]!;
      counts[rich] = counts[rich]! - 1;
      counts[poor] = counts[poor]! + 1;
      sums[rich] = sums[rich]! - 1;
      sums[poor] = sums[poor]! + 1;
    }
  }
  return sizes;
}

function indexOfLargest(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i += 1) if (values[i]! > values[best]!) best = i;
  return best;
}

function deal(lists: readonly Uint32Array[], sizes: readonly Uint32Array[], parties: number): Uint32Array[] {
  const parts = Array.from(totals(sizes, parties), (total) => new Uint32Array(total));
  const filled = new Uint32Array(parties);
  lists.forEach((rows, index) => {
    let start = 0;
    for (let party = 0; party < parties; party += 1) {
      const end = start + sizes[index]![party]!;
      parts[party]!.set(rows.subarray(start, end), filled[party]);
      filled[party] = filled[party]! + end - start;
      start = end;
    }
  });
  return parts;
}
