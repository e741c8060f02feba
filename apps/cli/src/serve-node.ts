import { nodeSecAgg } from "@ciphernx/crypto/secagg/node";
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { type Dataset, describeDataset } from "@ciphernx/ai/data";
import { descriptorPath, listDescriptors, loadDataset } from "@ciphernx/ai/data/node";
import {
  folderAuditHeads,
  folderGuard,
  folderKeptValues,
  folderSumJournal,
  folderRoster,
  type HeldNode,
  holdNode,
  memoryGuard,
  type NodeEvent,
  openNodeConnection,
  registerDataset,
  runNode,
  SOFTWARE_VERSION,
  type WayToCoordinator,
} from "@ciphernx/ai/federation/node";
import { type KernelBuild, loadKernel } from "@ciphernx/ai/nn";
import { networkTrainer, type Trainer } from "@ciphernx/ai/training";
import { NexusError, toNexusError } from "@ciphernx/core/errors";
import { collectBulkMemory } from "@ciphernx/core/process";
import { TaskKind } from "@ciphernx/protocol/proto";
import type { Tracer } from "@opentelemetry/api";
import type { Context } from "./context.ts";
import type { Output } from "./output/index.ts";
import { startTracing } from "./tracing/start-tracing.ts";
import { createRepetitions, type Repetitions } from "./views/waiting.ts";

/** What limits a process that serves nodes. */
interface Limits {
  /** Most that uploads take of the line, of all nodes together; undefined: no limit. */
  readonly uploadBytesPerSecond?: number | undefined;
  /** What the process may need, tasks included; undefined: no limit. A task that needs more is refused. */
  readonly memoryBytes?: number | undefined;
  /** How the nodes talk; where it says nothing, as each joined. */
  readonly way?: WayToCoordinator;
}

type Edges = Pick<Context, "output" | "signal">;

/**
 * Serves tasks with the datasets that nodes' folders describe, until the signal aborts. Each folder is a node of its own, perhaps of
 * another project or coordinator; they share the process and its limits in equal parts. A node that is sent away ends alone.
 * @throws NexusError KERNEL_UNSUPPORTED when the host lacks what the kernel build needs; NODE_FOLDER_INVALID without an identity; NODE_FOLDER_BUSY while another process serves it; DATA_UNREADABLE or DATA_INVALID naming the file of a dataset that cannot be loaded; NODE_LIMIT when the rows alone need more memory than there may be
 */
export async function serveNodes(
  folders: readonly string[],
  { kernel, ...limits }: Limits & { readonly kernel: KernelBuild },
  edges: Edges,
): Promise<void> {
  collectBulkMemory();
  await using tracing = await startTracing({
    ...{ env: process.env, serviceName: "nexus-node" },
    note: (text) => edges.output.note(text),
  });
  await using stack = new AsyncDisposableStack();
  const opened: OpenedNode[] = [];
  for (const folder of folders) opened.push(stack.use(await openNode(folder, edges)));
  const trainers = await Promise.all(opened.map(async ({ dataset }) => networkTrainer({ kernel: await loadKernel({ build: kernel }), dataset })));
  const share = {
    way: limits.way ?? {},
    uploadBytesPerSecond:
      limits.uploadBytesPerSecond === undefined ? undefined : Math.max(1, Math.floor(limits.uploadBytesPerSecond / opened.length)),
    freeBytes: limits.memoryBytes === undefined ? undefined : Math.floor((limits.memoryBytes - baseBytes(limits.memoryBytes)) / opened.length),
  };
  const served = opened.map((node, index) =>
    serve(node, { ...share, trainer: trainers[index]!, severally: opened.length > 1, tracer: tracing.tracer }, edges),
  );
  const ended = await Promise.allSettled(served);
  for (const end of ended) if (end.status === "rejected") throw end.reason;
  edges.output.result({
    data: opened.length === 1 ? { node: opened[0]!.held.identity.nodeId } : { nodes: opened.map(({ held }) => held.identity.nodeId) },
    text: opened.map(({ held }) => `Node ${held.identity.name} has stopped.`).join("\n"),
    ids: opened.map(({ held }) => held.identity.nodeId),
  });
}

/** What the process needs with all rows in memory, before any task. @throws NexusError NODE_LIMIT */
function baseBytes(memoryBytes: number): number {
  const bytes = process.memoryUsage.rss();
  if (bytes < memoryBytes) return bytes;
  throw new NexusError(
    "NODE_LIMIT",
    `The node needs ${Math.ceil(bytes / 2 ** 20)} MiB with its rows alone, and may have ${Math.floor(memoryBytes / 2 ** 20)} MiB by --memory.`,
    { hint: "Raise --memory, or serve fewer rows." },
  );
}

/** A node whose folder is held and whose rows are loaded. */
interface OpenedNode extends AsyncDisposable {
  readonly folder: string;
  readonly held: HeldNode;
  readonly dataset: (name: string) => Promise<Dataset>;
}

/** Before the coordinator hears of the node: data that cannot be read is told to whoever starts it. */
async function openNode(folder: string, { output }: Edges): Promise<OpenedNode> {
  await using stack = new AsyncDisposableStack();
  const held = stack.use(await holdNode(folder));
  const { identity, url } = held;
  const dataset = datasetsOf(folder);
  const names = await listDescriptors(folder);
  for (const name of names) await dataset(name);
  output.note(`Node ${identity.name} (${identity.nodeId}) with ${names.length === 0 ? "no dataset" : names.join(", ")}, coordinator ${url}.`);
  const kept = stack.move();
  return { folder, held, dataset, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

interface Share {
  readonly trainer: Trainer;
  readonly way: WayToCoordinator;
  readonly uploadBytesPerSecond: number | undefined;
  /** What a task of this node may need; undefined: no limit. */
  readonly freeBytes: number | undefined;
  readonly tracer: Tracer | undefined;
  /** Other nodes are served beside it: what is told names this one. */
  readonly severally: boolean;
}

async function serve(
  { folder, held, dataset }: OpenedNode,
  { trainer, way, uploadBytesPerSecond, freeBytes, severally, tracer }: Share,
  edges: Edges,
): Promise<void> {
  const { identity } = held;
  const output = severally ? outputOf(edges.output, held) : edges.output;
  const { connect, renew } = await openNodeConnection(folder, {
    ...held,
    ...{ transport: way.transport ?? held.transport, proxy: way.proxy, uploadBytesPerSecond },
  });
  const owners = folderGuard({
    folder,
    async facts(name) {
      const { schema, train, test } = await dataset(name);
      return { schema, trainExamples: train.count, testExamples: test?.count ?? 0 };
    },
  });
  const repetitions = createRepetitions();
  try {
    await runNode({
      ...{ identity, trainer, connect, renew, tracer },
      softwareVersion: SOFTWARE_VERSION,
      digest: (bytes) => createHash("sha256").update(bytes).digest("hex"),
      signal: edges.signal,
      kept: folderKeptValues(folder),
      secAgg: nodeSecAgg,
      sums: folderSumJournal(folder),
      auditHeads: await folderAuditHeads(folder),
      roster: await folderRoster(folder, identity),
      guard: freeBytes === undefined ? owners : memoryGuard(owners, freeBytes),
      async onSession(session) {
        for (const name of await listDescriptors(folder)) {
          await registerDataset(session, { name, ...describeDataset(await dataset(name)) });
        }
      },
      onEvent: (event) => tellEvent(event, output, repetitions),
    });
  } catch (error) {
    const { code, message, hint } = toNexusError(error);
    // The others go on, so this is told now and not when they have ended.
    if (severally) output.event({ type: "ended", code, message }, `${message}\n  ${hint}`);
    throw error;
  }
}

/** Tells events with the node that they are of. */
function outputOf(output: Context["output"], { identity: { name, nodeId }, url }: HeldNode): Pick<Output, "event"> {
  return {
    event: (data, text) => output.event({ node: nodeId, ...(data as object) }, text === undefined ? undefined : `${name} at ${url}: ${text}`),
  };
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

function tellEvent(event: NodeEvent, output: Pick<Output, "event">, repetitions: Repetitions): void {
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

/** Refusals that the owner of a dataset, or who runs the node, can do something about. */
const OWNER_CODES: ReadonlySet<string> = new Set([
  ...["TERMS_REFUSED", "APPROVAL_REQUIRED", "NODE_LIMIT"],
  ...["NOT_ON_ROSTER", "RUN_NOT_SIGNED", "ROSTER_FORKED", "ROSTER_INVALID", "AUDIT_FORKED"],
]);

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
