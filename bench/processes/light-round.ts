import { writeFile } from "node:fs/promises";
import type { RunPlan, RunSpecInput } from "@ciphernx/ai/spec";
import { residentBytes, startChild, temporaryFolder } from "./child.ts";
import { partyNames, startCoordinatorProcess } from "./federation.ts";
import type { LightNodesOptions, LightNodesWord } from "./light-nodes.ts";

/** A round of light nodes. */
export interface LightRound {
  readonly name: string;
  readonly nodes: number;
  /** In which the nodes live; their number is a multiple of it. */
  readonly processes: number;
  readonly parameters: number;
  /** Nodes of a process that answer at the same time. */
  readonly atOnce: number;
}

/** What a round took; the coordinator's resident memory in bytes. */
export interface LightRoundFigures {
  readonly seconds: number;
  /** Before anybody joined. */
  readonly emptyBytes: number;
  readonly joinedBytes: number;
  /** At the highest, from the start of the run to its end. */
  readonly peakBytes: number;
}

/** Time for the collector to settle. */
const SETTLE_MS = 3_000;

/** One round of FedAvg over sockets, the coordinator in a process of its own. */
export async function lightRound({ name, nodes, processes, parameters, atOnce }: LightRound): Promise<LightRoundFigures> {
  const spec: RunSpecInput = {
    version: 1,
    name,
    seed: 1,
    data: { dataset: "rows", parties: "all" },
    model: { kind: "tensors", tensors: { weights: [parameters] } },
    train: { optimiser: { kind: "sgd", learningRate: 0.1 } },
    strategy: { kind: "fedavg" },
    protection: { kind: "none" },
    rounds: 1,
    cohort: { deadlineSeconds: 3_600 },
    encoding: { bits: 32 },
    evaluate: { every: 0 },
  };
  await using folder = await temporaryFolder(name);
  await using coordinator = await startCoordinatorProcess(folder.path);
  await using stack = new AsyncDisposableStack();
  await settle();
  const empty = await residentBytes(coordinator.pid);
  const [names, tokens] = [partyNames(nodes), await coordinator.tokens(nodes)];
  const share = nodes / processes;
  const groups = Array.from({ length: processes }, (_, index) => {
    const [from, to] = [index * share, (index + 1) * share];
    const which = { names: names.slice(from, to), tokens: tokens.slice(from, to), firstNumber: from + 1 };
    return stack.use(
      startChild("./light-nodes.ts", { folder: folder.path, url: coordinator.url, ...which, parameters, atOnce } satisfies LightNodesOptions),
    );
  });
  await Promise.all(groups.map((group) => group.next<LightNodesWord>()));
  await settle();

  const joined = await residentBytes(coordinator.pid);
  // Takes the mark of the highest memory back to what there is now (Linux, proc_pid_clear_refs).
  await writeFile(`/proc/${coordinator.pid}/clear_refs`, "5");
  const began = performance.now();
  const started = await coordinator.nexus.runs.start(spec);
  const plan = JSON.parse((await started.show()).run.planJson) as RunPlan;
  for (const group of groups) group.say(plan.encoding);
  await Promise.all(groups.map((group) => group.next<LightNodesWord>()));
  const { modelHash } = await started.result();
  const seconds = (performance.now() - began) / 1000;
  const { peak } = await residentBytes(coordinator.pid);
  if (!/^[0-9a-f]{64}$/.test(modelHash)) throw new Error("The round gave no model.");
  return { seconds, emptyBytes: empty.now, joinedBytes: joined.now, peakBytes: peak };
}

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}
