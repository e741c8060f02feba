/**
 * Label shards: rows are sorted by label, cut into equal shards, and every party gets a few of them, so that most parties
 * see no more than that many labels.
 *
 * Source: McMahan, Moore, Ramage, Hampson, Agüera y Arcas, "Communication-efficient learning of deep networks from
 * decentralized data", AISTATS 2017, §3 (two shards a client).
 *
 * @module
 */
import { z } from "zod";
import { cutEvenly, definePartitioner, rowNumbers } from "./partitioner.ts";

export const shards = definePartitioner({
  schema: z.strictObject({
    kind: z.literal("shards").describe("Rows are sorted by label and dealt in shards"),
    shardsPerParty: z.int().min(1).max(1_000).default(2).describe("Shards of each party; a shard mostly holds one label"),
  }),
  rowsNeeded: (options, parties) => parties * options.shardsPerParty,
  partition({ labels, parties, options, stream }) {
    // Rows of one label keep their order, so the shards are a function of the labels alone; their lengths differ by at most one.
    const sorted = rowNumbers(labels.length).sort((a, b) => labels[a]! - labels[b]! || a - b);
    const pieces = cutEvenly(sorted, parties * options.shardsPerParty);
    const order = stream("shards").shuffle(rowNumbers(pieces.length));
    return Array.from({ length: parties }, (_, party) => {
      const own = order.subarray(party * options.shardsPerParty, (party + 1) * options.shardsPerParty);
      return concatenate([...own].map((shard) => pieces[shard]!));
    });
  },
});

function concatenate(pieces: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
