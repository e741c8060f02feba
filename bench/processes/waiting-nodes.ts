/** Many nodes in one process that wait for a task over a WebSocket each, and say when they have one. @module */
import { once } from "node:events";
import { givenOptions, letGo, tell } from "./child.ts";
import { joinLightNodes, type LightNode, type LightNodesToJoin } from "./light-node.ts";

/** What it says: that all have joined and wait; then that all have a task. */
export type WaitingNodesWord =
  | { readonly kind: "waiting" }
  /** When the first and the last had it (milliseconds of Unix time, with a fraction), and the polls that failed meanwhile. */
  | { readonly kind: "tasks"; readonly firstAt: number; readonly lastAt: number; readonly failures: number };

const WAIT_MS = 30_000;

if (import.meta.main) {
  const ended = letGo();
  const nodes = await joinLightNodes(givenOptions<LightNodesToJoin>(), "websocket");
  let failures = 0;
  const arrived = Promise.all(nodes.map(waitForTask));
  tell({ kind: "waiting" } satisfies WaitingNodesWord);
  const times = (await arrived).toSorted((a, b) => a - b);
  tell({ kind: "tasks", firstAt: times[0]!, lastAt: times.at(-1)!, failures } satisfies WaitingNodesWord);
  if (!ended.aborted) await once(ended, "abort");
  for (const { session } of nodes) await session.transport.close();

  async function waitForTask({ session }: LightNode): Promise<number> {
    for (;;) {
      try {
        const { task } = await session.call((client) => client.nextTask({ waitMs: WAIT_MS }, { signal: ended }));
        if (task !== undefined) return performance.timeOrigin + performance.now();
      } catch (error) {
        if (ended.aborted) throw error;
        failures += 1;
      }
    }
  }
}
