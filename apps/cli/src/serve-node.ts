import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { type Dataset, describeDataset } from "@ciphernx/ai/data";
import { descriptorPath, listDescriptors, loadDataset } from "@ciphernx/ai/data/node";
import {
  folderAuditHeads,
  folderGuard,
  folderKeptValues,
  folderRoster,
  holdNode,
  type NodeEvent,
  openNodeConnection,
  registerDataset,
  runNode,
  SOFTWARE_VERSION,
  type WayToCoordinator,
} from "@ciphernx/ai/federation/node";
import { type KernelBuild, loadKernel } from "@ciphernx/ai/nn";
import { networkTrainer } from "@ciphernx/ai/training";
import { collectBulkMemory } from "@ciphernx/core/process";
import { TaskKind } from "@ciphernx/protocol/proto";
import type { Context } from "./context.ts";
import { createRepetitions, type Repetitions } from "./views/waiting.ts";

/**
 * Serves tasks with the datasets that a node's folder describes, until the signal aborts.
 * @throws NexusError KERNEL_UNSUPPORTED when the host lacks what the kernel build needs; NODE_FOLDER_INVALID without an identity; NODE_FOLDER_BUSY while another process serves it; DATA_UNREADABLE or DATA_INVALID naming the file of a dataset that cannot be loaded
 */
export async function serveNode(
  folder: string,
  {
    kernel,
    way = {},
    output,
    signal,
  }: Pick<Context, "output" | "signal"> & {
    readonly kernel: KernelBuild;
    /** How it talks; `uploadBytesPerSecond` is the most that uploads take of the line. */
    readonly way?: WayToCoordinator & { readonly uploadBytesPerSecond?: number | undefined };
  },
): Promise<void> {
  collectBulkMemory();
  await using held = await holdNode(folder);
  const { identity, url } = held;
  const { connect, renew } = await openNodeConnection(folder, { ...held, ...way, transport: way.transport ?? held.transport });
  const dataset = datasetsOf(folder);
  const names = await listDescriptors(folder);
  // Before the coordinator hears of the node: data that cannot be read is told to whoever starts it.
  for (const name of names) await dataset(name);
  output.note(`Node ${identity.name} (${identity.nodeId}) with ${names.length === 0 ? "no dataset" : names.join(", ")}, coordinator ${url}.`);
  const repetitions = createRepetitions();
  await runNode({
    identity,
    trainer: networkTrainer({ kernel: await loadKernel({ build: kernel }), dataset }),
    softwareVersion: SOFTWARE_VERSION,
    ...{ connect, renew },
    digest: (bytes) => createHash("sha256").update(bytes).digest("hex"),
    signal,
    kept: folderKeptValues(folder),
    auditHeads: await folderAuditHeads(folder),
    roster: await folderRoster(folder, identity),
    guard: folderGuard({
      folder,
      async facts(name) {
        const { schema, train, test } = await dataset(name);
        return { schema, trainExamples: train.count, testExamples: test?.count ?? 0 };
      },
    }),
    async onSession(session) {
      for (const name of await listDescriptors(folder)) {
        await registerDataset(session, { name, ...describeDataset(await dataset(name)) });
      }
    },
    onEvent: (event) => tellEvent(event, output, repetitions),
  });
  output.result({ data: { node: identity.nodeId }, text: `Node ${identity.name} has stopped.`, ids: [identity.nodeId] });
}

/** Datasets of a node's folder by name, each loaded once for every time its descriptor is written. */
function datasetsOf(folder: string): (name: string) => Promise<Dataset> {
  const loaded = new Map<string, { readonly writtenAtMs: number; readonly dataset: Promise<Dataset> }>();
  return async (name) => {
    const path = descriptorPath(folder, name);
    const writtenAtMs = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => -1, // loading it says what is wrong with it
    );
    const known = loaded.get(name);
    if (known?.writtenAtMs === writtenAtMs) return known.dataset;
    const dataset = loadDataset(path);
    loaded.set(name, { writtenAtMs, dataset });
    dataset.catch(() => loaded.delete(name)); // whoever waits for it gets the error; the next one tries again
    return dataset;
  };
}

function tellEvent(event: NodeEvent, output: Context["output"], repetitions: Repetitions): void {
  if (event.type !== "waiting-for-coordinator") repetitions.reset();
  else if (!repetitions.isDue(event.error.message)) return;
  switch (event.type) {
    case "connected":
      return output.event({ type: "connected" }, "Connected; waiting for tasks.");
    case "waiting-for-coordinator":
      return output.event(
        { type: event.type, code: event.error.code, message: event.error.message },
        `Waiting for the coordinator: ${event.error.message}`,
      );
    case "roster-refused":
      return output.event(
        { type: event.type, code: event.error.code, message: event.error.message },
        `The roster is not what this node goes by: ${event.error.message}`,
      );
    case "task":
      return output.event({ type: "task", ...taskData(event.task) });
    case "kept-values-lost":
      return output.event(
        { type: event.type, ...taskData(event.task), reason: event.reason },
        `${event.task.runId} round ${event.task.round}: what this party kept to itself is gone (${event.reason}); it goes on from the initial values.`,
      );
    case "answered": {
      const { kind } = event.answer;
      const why = event.answer.kind === "accepted" ? {} : { code: event.answer.error.code, message: event.answer.error.message };
      // What the owner of the data can do is told where the owner sees it.
      const hint = event.answer.kind === "failed" && OWNER_CODES.has(event.answer.error.code) ? { hint: event.answer.error.hint } : {};
      const { run, round, task } = taskData(event.task);
      return output.event(
        { type: "answered", run, round, task, answer: kind, ...why, ...hint },
        `${run} round ${round} ${task}: ${kind}${"message" in why ? `: ${why.message}` : ""}${"hint" in hint ? `\n  ${hint.hint}` : ""}`,
      );
    }
  }
}

/** Refusals that the owner of a dataset can do something about, at the node. */
const OWNER_CODES: ReadonlySet<string> = new Set(["TERMS_REFUSED", "APPROVAL_REQUIRED"]);

/** Tasks as people know them. */
const TASK_NAMES: Readonly<Record<TaskKind, string>> = {
  [TaskKind.UNSPECIFIED]: "task",
  [TaskKind.STATISTICS]: "statistics",
  [TaskKind.FIT]: "fit",
  [TaskKind.EVALUATE]: "evaluate",
};

function taskData({ runId, round, attempt, kind }: Extract<NodeEvent, { readonly type: "task" }>["task"]) {
  return { run: runId, round, attempt, task: TASK_NAMES[kind] };
}
