/**
 * Label skew by a Dirichlet distribution: for each class, the parties' shares of its rows are one draw of Dir(α). A small α
 * leaves most parties with a few classes and very different numbers of rows; α → ∞ approaches an even split.
 *
 * Source: the per-class form of Yurochkin et al., "Bayesian nonparametric federated learning of neural networks", ICML 2019,
 * §4, after Hsu, Qi, Brown, "Measuring the effects of non-identical data distribution for federated visual
 * classification", 2019; Li, Diao, Chen, He, "Federated learning on non-IID data silos", ICDE 2022, §IV-B, use it as their
 * label skew.
 *
 * @module
 */
import { NexusError } from "@ciphernx/core/errors";
import { z } from "zod";
import { dirichlet as dirichletPoint } from "../../random/index.ts";
import { definePartitioner, type PartitionInput, rowNumbers } from "./partitioner.ts";

/** Draws that are tried until every party has enough rows; after them rows are moved from the largest parties. */
const MAX_DRAWS = 20;

const schema = z.strictObject({
  kind: z.literal("dirichlet").describe("Each class is dealt in shares drawn from Dirichlet(alpha)"),
  alpha: z.number().min(1e-3).max(1e6).default(0.3).describe("Evenness: 0.1 is very skewed, 0.3 hard, 1 mild, 100 nearly even"),
  minExamples: z.int().min(1).max(1_000_000).default(1).describe("Fewest rows of a party"),
});

export const dirichlet = definePartitioner({
  schema,
  rowsNeeded: (options, parties) => parties * options.minExamples,
  partition(input) {
    const classes = rowsByClass(input);
    const sizes = drawSizes(input, classes);
    return deal(classes, sizes, input.parties);
  },
});

/** The rows of each class in random order, classes ascending. */
function rowsByClass({ labels, stream }: PartitionInput<z.output<typeof schema>>): readonly Uint32Array[] {
  const counts = new Map<number, number>();
  for (let row = 0; row < labels.length; row += 1) counts.set(labels[row]!, (counts.get(labels[row]!) ?? 0) + 1);
  for (const label of counts.keys()) {
    if (!Number.isSafeInteger(label)) {
      throw new NexusError("DATA_INVALID", "A Dirichlet split needs class labels; these labels are not whole numbers.", {
        hint: 'Use the partition "iid" or "shards" for regression.',
      });
    }
  }
  const found = [...counts.keys()].toSorted((a, b) => a - b);
  const lists = new Map(found.map((label) => [label, { rows: new Uint32Array(counts.get(label)!), filled: 0 }]));
  for (const row of rowNumbers(labels.length)) {
    const list = lists.get(labels[row]!)!;
    list.rows[list.filled] = row;
    list.filled += 1;
  }
  return found.map((label) => stream("rows", label).shuffle(lists.get(label)!.rows));
}

/** How many rows of each class each party gets: `sizes[class][party]`. */
function drawSizes({ parties, options, stream }: PartitionInput<z.output<typeof schema>>, classes: readonly Uint32Array[]): readonly Uint32Array[] {
  let sizes: readonly Uint32Array[] = [];
  for (let draw = 0; draw < MAX_DRAWS; draw += 1) {
    const random = stream("shares", draw);
    sizes = classes.map((rows) => sharesToCounts(dirichletPoint(random, options.alpha, parties), rows.length));
    if (totals(sizes, parties).every((total) => total >= options.minExamples)) return sizes;
  }
  return fillUp(sizes, parties, options.minExamples);
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

/** Moves single rows from the largest party's largest class to each party that lacks some; ties go to the first. */
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

function deal(classes: readonly Uint32Array[], sizes: readonly Uint32Array[], parties: number): Uint32Array[] {
  const parts = Array.from(totals(sizes, parties), (total) => new Uint32Array(total));
  const filled = new Uint32Array(parties);
  classes.forEach((rows, index) => {
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
