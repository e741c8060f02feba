/**
 * One round of a thousand nodes with a hundred thousand parameters each (FedAvg), over sockets: how long it takes, and how far the
 * coordinator's memory rises above what it was before anybody had joined. The nodes are light and live in four processes on the same cores.
 *
 * @module
 */
import type { Outcome } from "./figures/figure.ts";
import { lightRound } from "./processes/light-round.ts";

export const name = "thousand-nodes";

const NODES = 1_000;
const PARAMETERS = 100_000;
const MODEL_BYTES = PARAMETERS * 4;
/** Memory beyond idle that is allowed: six models, a rest, and something for each node. */
const ALLOWED_MB = (6 * MODEL_BYTES) / 1e6 + 64 + (NODES * 40) / 1e3;

export async function run(): Promise<Outcome> {
  const round = await lightRound({ name, nodes: NODES, processes: 4, parameters: PARAMETERS, atOnce: 4 });
  return {
    figures: [
      { name: `round of ${NODES} × ${PARAMETERS} parameters`, value: round.seconds, unit: "s", atMost: 30 },
      { name: "idle, nobody joined", value: round.emptyBytes / 1e6, unit: "MB" },
      { name: `idle, ${NODES} nodes joined`, value: round.joinedBytes / 1e6, unit: "MB" },
      { name: "peak beyond idle, nobody joined", value: (round.peakBytes - round.emptyBytes) / 1e6, unit: "MB", atMost: ALLOWED_MB },
    ],
  };
}

if (import.meta.main) console.table((await run()).figures);
