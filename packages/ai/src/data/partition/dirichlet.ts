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
import { dealShares } from "./deal-shares.ts";
import { definePartitioner, type PartitionInput, rowNumbers } from "./partitioner.ts";

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
    return dealShares(classes, { ...input.options, parties: input.parties, stream: input.stream });
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
