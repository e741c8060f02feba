/**
 * Five thousand nodes that wait for a task, each over a WebSocket of its own: what they cost the coordinator, whether any of them is ever
 * taken for absent, and how long it takes until all of them have the task of a round. The nodes live in four processes on the same cores.
 *
 * @module
 */
import type { RunHandle } from "@ciphernx/ai/client";
import type { RunSpecInput } from "@ciphernx/ai/spec";
import type { Outcome } from "./figures/figure.ts";
import { residentBytes, startChild, temporaryFolder } from "./processes/child.ts";
import { partyNames, startCoordinatorProcess } from "./processes/federation.ts";
import type { LightNodesToJoin } from "./processes/light-node.ts";
import type { WaitingNodesWord } from "./processes/waiting-nodes.ts";

export const name = "waiting-nodes";

const NODES = 5_000;
const PROCESSES = 4;
/** Time for the collector to settle. */
const SETTLE_MS = 5_000;
/** Longer than three pings and two long polls. */
const WATCHED_MS = 65_000;
const LOOK_MS = 2_000;

const SPEC: RunSpecInput = {
  version: 1,
  name: "waiting-nodes",
  seed: 1,
  data: { dataset: "rows", parties: "all" },
  model: { kind: "tensors", tensors: { weights: [16] } },
  train: { optimiser: { kind: "sgd", learningRate: 0.1 } },
  protection: { kind: "none" },
  rounds: 1,
  cohort: { deadlineSeconds: 600 },
  evaluate: { every: 0 },
};

export async function run(): Promise<Outcome> {
  await using folder = await temporaryFolder(name);
  await using coordinator = await startCoordinatorProcess(folder.path);
  await using stack = new AsyncDisposableStack();
  await settle(SETTLE_MS);
  const idle = await residentBytes(coordinator.pid);

  const [names, tokens] = [partyNames(NODES), await coordinator.tokens(NODES)];
  const share = Math.ceil(NODES / PROCESSES);
  const groups = Array.from({ length: PROCESSES }, (_, index) => {
    const [from, to] = [index * share, (index + 1) * share];
    const options = { folder: folder.path, url: coordinator.url, names: names.slice(from, to), tokens: tokens.slice(from, to) };
    return stack.use(startChild("./waiting-nodes.ts", options satisfies LightNodesToJoin));
  });
  await Promise.all(groups.map((group) => group.next<WaitingNodesWord>()));

  let fewest = Infinity;
  for (const began = performance.now(); performance.now() - began < WATCHED_MS;) {
    await settle(LOOK_MS);
    fewest = Math.min(fewest, await coordinator.metric("ciphernx_nodes_online"));
  }
  const waiting = await residentBytes(coordinator.pid);

  const startedAt = performance.timeOrigin + performance.now();
  const run = await coordinator.nexus.runs.start(SPEC);
  const words = await Promise.all(groups.map((group) => group.next<Extract<WaitingNodesWord, { kind: "tasks" }>>()));
  const openedAt = await roundOpenedAt(run);
  const lastAt = Math.max(...words.map((word) => word.lastAt));
  await run.stop();

  const beyond = (waiting.now - idle.now) / 1e6;
  return {
    figures: [
      { name: "idle", value: idle.now / 1e6, unit: "MB" },
      { name: `beyond idle, ${NODES} nodes waiting`, value: beyond, unit: "MB", atMost: 200 },
      { name: "nodes taken for absent", value: NODES - fewest, unit: "", atMost: 0 },
      { name: "long polls that failed", value: words.reduce((sum, word) => sum + word.failures, 0), unit: "", atMost: 0 },
      { name: "round opened to first task in hand", value: Math.min(...words.map((word) => word.firstAt)) - openedAt, unit: "ms" },
      { name: "round opened to last task in hand", value: lastAt - openedAt, unit: "ms", atMost: 2_000 },
      { name: "asked for the run to last task in hand", value: lastAt - startedAt, unit: "ms" },
    ],
  };
}

/** When the first round was recorded, by the database's clock, which is this machine's. */
async function roundOpenedAt(run: RunHandle): Promise<number> {
  for await (const { type, at } of run.events({ follow: false })) if (type === "round-opened") return Date.parse(at);
  throw new Error("The run opened no round.");
}

function settle(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) console.table((await run()).figures);
