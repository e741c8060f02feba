/**
 * One round of a thousand nodes with a hundred thousand parameters each (FedAvg), over sockets: how long it takes, and how far the
 * coordinator's memory rises above what it was before anybody had joined. The nodes are light and live in four processes on the same cores.
 *
 * @module
 */
import { writeFile } from "node:fs/promises";
import type { RunPlan, RunSpecInput } from "@ciphernx/ai/spec";
import type { Outcome } from "./figures/figure.ts";
import { residentBytes, startChild, temporaryFolder } from "./processes/child.ts";
import { partyNames, startCoordinatorProcess } from "./processes/federation.ts";
import type { LightNodesOptions, LightNodesWord } from "./processes/light-nodes.ts";

export const name = "thousand-nodes";

const NODES = 1_000;
const PROCESSES = 4;
const PARAMETERS = 100_000;
const MODEL_BYTES = PARAMETERS * 4;
/** Of each process. */
const AT_ONCE = 4;
const SETTLE_MS = 3_000;

const SPEC: RunSpecInput = {
  version: 1,
  name: "thousand-nodes",
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
  await using stack = new AsyncDisposableStack();
  await settle();
  const idle = await residentBytes(coordinator.pid);
  const [names, tokens] = [partyNames(NODES), await coordinator.tokens(NODES)];
  const share = NODES / PROCESSES;
  const groups = Array.from({ length: PROCESSES }, (_, index) => {
    const [from, to] = [index * share, (index + 1) * share];
    const which = { names: names.slice(from, to), tokens: tokens.slice(from, to), firstNumber: from + 1 };
    const options = { folder: folder.path, url: coordinator.url, ...which, parameters: PARAMETERS, atOnce: AT_ONCE };
    return stack.use(startChild("./light-nodes.ts", options satisfies LightNodesOptions));
  });
  await Promise.all(groups.map((group) => group.next<LightNodesWord>()));
  await settle();

  // Takes the mark of the highest memory back to what there is now (Linux, proc_pid_clear_refs).
  await writeFile(`/proc/${coordinator.pid}/clear_refs`, "5");
  const joined = await residentBytes(coordinator.pid);
  const began = performance.now();
  const started = await coordinator.nexus.runs.start(SPEC);
  const plan = JSON.parse((await started.show()).run.planJson) as RunPlan;
  for (const group of groups) group.say(plan.encoding);
  await Promise.all(groups.map((group) => group.next<LightNodesWord>()));
  const { modelHash } = await started.result();
  const seconds = (performance.now() - began) / 1000;
  const { peak } = await residentBytes(coordinator.pid);
  if (!/^[0-9a-f]{64}$/.test(modelHash)) throw new Error("The round gave no model.");

  const allowed = (6 * MODEL_BYTES) / 1e6 + 64 + (NODES * 40) / 1e3;
  return {
    figures: [
      { name: `round of ${NODES} × ${PARAMETERS} parameters`, value: seconds, unit: "s", atMost: 30 },
      { name: "idle, nobody joined", value: idle.now / 1e6, unit: "MB" },
      { name: `idle, ${NODES} nodes joined`, value: joined.now / 1e6, unit: "MB" },
      { name: "peak beyond idle, nobody joined", value: (peak - idle.now) / 1e6, unit: "MB", atMost: allowed },
    ],
  };
}

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}

if (import.meta.main) console.table((await run()).figures);
