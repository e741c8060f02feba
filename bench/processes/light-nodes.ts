/**
 * Many nodes in one process that hold no model: each fetches the round's model and lets its bytes go, sends a vector that was encoded
 * before, changed in one coordinate so that no two are alike, and reports it signed like any other.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { encodeUpdate, encodeUpdateFile, loadAggregationKernel } from "@ciphernx/ai/aggregation";
import type { RunPlan } from "@ciphernx/ai/spec";
import type { Sha256 } from "@ciphernx/core/blobs";
import { sign } from "@ciphernx/crypto/keys";
import type { Task } from "@ciphernx/protocol/proto";
import { reportBytes } from "@ciphernx/protocol/wire";
import { givenOptions, letGo, tell } from "./child.ts";
import { joinLightNodes, type LightNode, type LightNodesToJoin } from "./light-node.ts";

export interface LightNodesOptions extends LightNodesToJoin {
  readonly parameters: number;
  /** Nodes that answer at the same time. */
  readonly atOnce: number;
}

/** What it says: that all have joined, and that all have answered one task. */
export type LightNodesWord = "joined" | "answered";

const WAIT_MS = 30_000;
const MIDDLE = 1 << 18;
const WEIGHT = 1;
const METRICS = { loss: 1, correct: 1 };

if (import.meta.main) {
  const ended = letGo();
  const options = givenOptions<LightNodesOptions>();
  const nodes = await joinLightNodes(options, "connect");
  tell("joined" satisfies LightNodesWord);
  const [begin] = (await once(process, "message")) as [RunPlan["encoding"]];
  const files = await preparedFiles(begin, options);
  const queue = nodes.values();
  await Promise.all(
    files.map(async (file) => {
      for (const node of queue) await answer(node, file);
    }),
  );
  tell("answered" satisfies LightNodesWord);
  if (!ended.aborted) await once(ended, "abort");
  for (const { session } of nodes) await session.transport.close();
}

/** One file for each place in which a node answers. */
async function preparedFiles(encoding: RunPlan["encoding"], { parameters, atOnce }: LightNodesOptions): Promise<readonly Uint8Array<ArrayBuffer>[]> {
  const kernel = await loadAggregationKernel();
  const delta = new Float32Array(parameters).map((_, i) => ((i % 1001) - 500) / 1_000_000);
  const { vector } = encodeUpdate({ kernel, delta, weight: WEIGHT, metrics: METRICS, encoding, metricNames: ["loss", "correct"] });
  const file = encodeUpdateFile(vector);
  return Array.from({ length: atOnce }, () => file.slice());
}

async function answer({ session, key, number }: LightNode, file: Uint8Array<ArrayBuffer>): Promise<void> {
  let task: Task | undefined;
  while (task === undefined) ({ task } = await session.call((client) => client.nextTask({ waitMs: WAIT_MS })));
  const { taskId, runId, round, attempt, specHash, planHash, baseModelHash } = task;
  const model = session.transport.blobs.stream(baseModelHash as Sha256, { expectedSizeBytes: Number(task.baseModelSizeBytes) });
  let fetchedBytes = 0;
  for await (const chunk of model) fetchedBytes += chunk.length;
  if (fetchedBytes === 0) throw new Error("The model is empty.");
  // A coordinate in the middle of the file, which is all parameters but for its ends.
  new DataView(file.buffer).setInt32(MIDDLE, number, true);
  const hash = createHash("sha256").update(file).digest("hex") as Sha256;
  const report = { taskId, runId, round, attempt, specHash, planHash, baseModelHash, blobHash: hash, weight: BigInt(WEIGHT), metrics: METRICS };
  const signature = await sign(key, reportBytes(report));
  await session.transport.blobs.put(file, { hash, sizeBytes: file.length, taskId });
  await session.call((client) => client.report({ ...report, signature, durationMs: 0 }));
}
