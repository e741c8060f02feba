/**
 * How far the coordinator's memory rises above idle in one round of a hundred nodes with ten million parameters each (FedAvg): it hands
 * out a 40 MB model a hundred times and takes in a hundred updates of 40 MB, no two alike. The nodes are light and live in one process.
 *
 * @module
 */
import { writeFile } from "node:fs/promises";
import type { RunSpecInput } from "@ciphernx/ai/spec";
import type { Outcome } from "./figures/figure.ts";
import { residentBytes, startChild, temporaryFolder } from "./processes/child.ts";
import { partyNames, startCoordinatorProcess } from "./processes/federation.ts";
import type { LightNodesOptions } from "./processes/light-nodes.ts";

export const name = "server-memory";

const NODES = 100;
const PARAMETERS = 10_000_000;
const MODEL_BYTES = PARAMETERS * 4;
const AT_ONCE = 4;
/** Time for the collector to settle after a hundred nodes have joined. */
const SETTLE_MS = 3_000;

const SPEC: RunSpecInput = {
  version: 1,
  name: "server-memory",
  seed: 1,
  data: { dataset: "rows", parties: "all" },
  model: { kind: "tensors", tensors: { weights: [PARAMETERS] } },
  train: { optimiser: { kind: "sgd", learningRate: 0.1 } },
  strategy: { kind: "fedavg" },
  rounds: 1,
  cohort: { deadlineSeconds: 3_600 },
  encoding: { bits: 32 },
  evaluate: { every: 0 },
};

export async function run(): Promise<Outcome> {
  await using folder = await temporaryFolder(name);
  await using coordinator = await startCoordinatorProcess(folder.path);
  const names = partyNames(NODES);
  const tokens = await coordinator.tokens(NODES);
  await using nodes = startChild("./light-nodes.ts", {
    ...{ folder: folder.path, url: coordinator.url, names, tokens, parameters: PARAMETERS, atOnce: AT_ONCE },
  } satisfies LightNodesOptions);
  await nodes.next();
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));

  const idle = await residentBytes(coordinator.pid);
  // Takes the mark of the highest memory back to what there is now (Linux, proc_pid_clear_refs).
  await writeFile(`/proc/${coordinator.pid}/clear_refs`, "5");
  const began = performance.now();
  const started = await coordinator.nexus.runs.start(SPEC);
  const plan = JSON.parse((await started.show()).run.planJson) as { readonly encoding: unknown };
  nodes.say(plan.encoding);
  await nodes.next();
  const { modelHash } = await started.result();
  const seconds = (performance.now() - began) / 1000;
  const { peak } = await residentBytes(coordinator.pid);
  if (!/^[0-9a-f]{64}$/.test(modelHash)) throw new Error("The round gave no model.");

  const beyond = (peak - idle.now) / 1e6;
  return {
    figures: [
      { name: "idle, 100 nodes joined", value: idle.now / 1e6, unit: "MB" },
      { name: "peak in a round of 100 × 10M parameters", value: peak / 1e6, unit: "MB" },
      { name: "peak beyond idle", value: beyond, unit: "MB", atMost: (5 * MODEL_BYTES) / 1e6 + 64 },
      { name: "peak beyond idle, in models", value: (beyond * 1e6) / MODEL_BYTES, unit: "models" },
      { name: "the round", value: seconds, unit: "s" },
    ],
  };
}

if (import.meta.main) console.table((await run()).figures);
