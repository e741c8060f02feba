import { addSumEntry, keepSumVector, readSumEntries, readSumVector } from "../browser-store.ts";
import { type SumJournal, sumName, unfinished } from "./sum-journal.ts";

/** A journal in the browser's database, beside the node's key: it outlives page and worker, as the key does. */
export function browserSumJournal(node: string): SumJournal {
  return {
    entries: (run) => readSumEntries(node, run),
    append: (entry) => addSumEntry(node, entry),
    keepVector: (sum, bytes) => keepSumVector({ node, run: sum.run, sum: sumName(sum), bytes: Uint8Array.from(bytes) }),
    async vector(sum) {
      const kept = await readSumVector(node, sum.run);
      return kept?.sum === sumName(sum) ? kept.bytes : undefined;
    },
    unfinished: async () => unfinished(await readSumEntries(node)),
  };
}
