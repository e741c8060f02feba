/**
 * How far the coordinator's memory rises above idle in one round of a hundred nodes with ten million parameters each (FedAvg): it hands
 * out a 40 MB model a hundred times and takes in a hundred updates of 40 MB, no two alike. The nodes are light and live in one process.
 *
 * @module
 */
import type { Outcome } from "./figures/figure.ts";
import { lightRound } from "./processes/light-round.ts";

export const name = "server-memory";

const NODES = 100;
const PARAMETERS = 10_000_000;
const MODEL_BYTES = PARAMETERS * 4;

export async function run(): Promise<Outcome> {
  const { seconds, joinedBytes, peakBytes } = await lightRound({ name, nodes: NODES, processes: 1, parameters: PARAMETERS, atOnce: 4 });
  const beyondBytes = peakBytes - joinedBytes;
  return {
    figures: [
      { name: "idle, 100 nodes joined", value: joinedBytes / 1e6, unit: "MB" },
      { name: "peak in a round of 100 × 10M parameters", value: peakBytes / 1e6, unit: "MB" },
      { name: "peak beyond idle", value: beyondBytes / 1e6, unit: "MB", atMost: (5 * MODEL_BYTES) / 1e6 + 64 },
      { name: "peak beyond idle, in models", value: beyondBytes / MODEL_BYTES, unit: "models" },
      { name: "the round", value: seconds, unit: "s" },
    ],
  };
}

if (import.meta.main) console.table((await run()).figures);
