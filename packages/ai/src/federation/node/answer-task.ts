import type { Sha256 } from "@ciphernx/core/blobs";
import { NexusError, toNexusError } from "@ciphernx/core/errors";
import { sleep } from "@ciphernx/core/lifecycle";
import { sign } from "@ciphernx/crypto/keys";
import { type Task, TaskKind } from "@ciphernx/protocol/proto";
import { reportBytes } from "@ciphernx/protocol/wire";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { type AggregationKernel, encodeUpdateFile, newVector } from "../../aggregation/index.ts";
import { loadModel } from "../../models/index.ts";
import { parseRunSpec, type RunPlan, type RunSpec } from "../../spec/index.ts";
import { createStrategy } from "../../strategy/index.ts";
import { keptLength, keptTensors } from "../../strategy/party-values.ts";
import { placeLocal, sharingOf } from "../../strategy/sharing.ts";
import { decodeSafetensors } from "../../tensor/index.ts";
import type { Trainer, TrainingTask } from "../../training/index.ts";
import { uploadLayout } from "../round/upload-layout.ts";
import { checkTerms } from "./check-terms.ts";
import { encode } from "./encode.ts";
import { evaluate } from "./evaluate.ts";
import { fit } from "./fit.ts";
import type { NodeIdentity } from "./identity.ts";
import type { KeptAfter, KeptValues } from "./kept-values.ts";
import type { NodeSession } from "./session.ts";
import type { TaskMemory } from "./task-memory.ts";

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

export interface AnswerTaskOptions {
  readonly session: NodeSession;
  readonly identity: NodeIdentity;
  readonly trainer: Trainer;
  readonly kernel: AggregationKernel;
  readonly task: Task;
  /** Of this node alone: one task at a time uses it. */
  readonly memory: TaskMemory;
  readonly signal: AbortSignal;
  /** Where the party's own values of tensors that it does not share are kept from round to round. */
  readonly kept: KeptValues;
  /** Told when values that the party should have kept are gone: it goes on from the initial ones. */
  readonly onLost?: (reason: string) => void;
  /** SHA-256 of an upload; a faster one than the default where the platform has it. */
  readonly digest?: (bytes: Uint8Array) => string;
  /** Told whenever a finished answer cannot be sent and waits for the coordinator. */
  readonly onWaiting?: (error: NexusError) => void;
}

/** How a task ended at the node. */
export type Answer =
  | { readonly kind: "accepted" }
  | { readonly kind: "refused"; readonly error: NexusError }
  | { readonly kind: "failed"; readonly error: NexusError };

/** What is signed and sent besides the upload. */
interface Outcome {
  readonly blobHash: string;
  readonly weight: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly failure?: { readonly code: string; readonly message: string };
}

/**
 * One task as the data lives it: check terms → load model → fit → encode → sign → upload → report. A trainer that
 * fails is reported as a failure, so that the round need not wait.
 * @throws NexusError of the connection; whoever calls tries again, the task stays open
 */
export async function answerTask(options: AnswerTaskOptions): Promise<Answer> {
  const { session, identity, trainer, kernel, task, memory, signal, digest = (bytes) => bytesToHex(sha256(bytes)) } = options;
  const startedAt = performance.now();
  let file: Uint8Array<ArrayBuffer> | undefined;
  let outcome: Outcome;
  let failure: NexusError | undefined;
  try {
    const { training, kept, server } = await prepare(options);
    if (task.kind === TaskKind.FIT) {
      const update = await fit(trainer, training, { into: training.parameters, kept, server });
      if (update.kept !== undefined) await keep(options, training, update.kept);
      const vector = newVector(uploadLayout(training.plan, "fit"), (sizeBytes) => memory.of("update", sizeBytes));
      file = encodeUpdateFile(encode(kernel, training, "fit", update, vector));
      outcome = { blobHash: digest(file), weight: update.weight, metrics: update.metrics };
    } else {
      const judged = await evaluate(trainer, training);
      file = encodeUpdateFile(encode(kernel, training, "evaluate", { ...judged, delta: new Float32Array() }));
      outcome = { blobHash: digest(file), ...judged };
    }
  } catch (error) {
    if (signal.aborted || isConnectionProblem(error)) throw error;
    failure = trainerFailure(error, identity.name);
    outcome = { blobHash: "", weight: 0, metrics: {}, failure: { code: failure.code, message: failure.message } };
  }

  const { taskId, runId, round, attempt, specHash, baseModelHash } = task;
  const { failure: failed, ...answer } = outcome;
  const signed = {
    taskId,
    runId,
    round,
    attempt,
    specHash,
    baseModelHash,
    ...answer,
    weight: BigInt(outcome.weight),
    metrics: { ...outcome.metrics },
    ...(failed === undefined ? {} : { failure: failed }),
  };
  const signature = await sign(identity.key, reportBytes(signed));
  const durationMs = Math.round(performance.now() - startedAt);
  const send = async (): Promise<void> => {
    if (file !== undefined) {
      const blob = { hash: outcome.blobHash as Sha256, sizeBytes: file.length, taskId, signal };
      const bytes = file;
      await session.call(() => session.transport.blobs.put(bytes, blob));
    }
    await session.call((client) => client.report({ ...signed, signature, durationMs }, { signal }));
  };
  try {
    await persistently(send, options);
  } catch (error) {
    if (signal.aborted || isConnectionProblem(error)) throw error;
    return { kind: "refused", error: toNexusError(error) };
  }
  // The upload has arrived whole: nothing reads it any more.
  memory.rest();
  return failure === undefined ? { kind: "accepted" } : { kind: "failed", error: failure };
}

/**
 * Sends a finished answer until it is taken, refused, or too late: what was learnt in an hour is not learnt again because the
 * coordinator restarts for a second. An upload is kept in its memory until the report, so both are sent again.
 */
async function persistently(send: () => Promise<void>, { task, signal, onWaiting }: AnswerTaskOptions): Promise<void> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    try {
      return await send();
    } catch (error) {
      const passes = isConnectionProblem(error) || (error instanceof NexusError && error.code === "BLOB_NOT_FOUND");
      if (signal.aborted || !passes || Date.now() > Number(task.deadlineUnixMs)) throw error;
      onWaiting?.(toNexusError(error));
    }
    await sleep(pauseMs, { signal });
  }
}

/** A task with all that the party needs for it. */
interface Prepared {
  readonly training: TrainingTask;
  /** What the party kept from its last round that counted. */
  readonly kept: Float32Array | undefined;
  /** The strategy's vectors, when the task names them. */
  readonly server: Readonly<Record<string, Float64Array>> | undefined;
}

async function prepare(options: AnswerTaskOptions): Promise<Prepared> {
  const { session, identity, task, memory, signal } = options;
  // Hashed as it came: a coordinator of another version may know of other defaults.
  const document = JSON.parse(task.specJson) as RunSpec;
  const plan = JSON.parse(task.planJson) as RunPlan;
  checkTerms({ spec: document, plan, specHash: task.specHash, party: task.party }, identity.name);
  const spec = parseRunSpec(document, "The spec of the task");
  const blob = {
    expectedSizeBytes: Number(task.baseModelSizeBytes),
    memory: (sizeBytes: number) => new Uint8Array(memory.of("model", sizeBytes)),
    signal,
  };
  const file = await session.call(() => session.transport.blobs.get(task.baseModelHash as Sha256, blob));
  const { parameters, layout } = loadModel(file, plan.model.tensors);
  const { keptRound, keptAttempt, stateHash, ...config } = JSON.parse(task.configJson) as TrainingTask["config"];
  const training = { parameters, layout, spec, plan, party: task.party, round: task.round, config, signal };
  // An evaluation needs the party's tensors, not what its strategy goes by.
  const needed = task.kind === TaskKind.FIT || plan.model.local !== undefined;
  const kept =
    needed && typeof keptRound === "number" && typeof keptAttempt === "number"
      ? await recall(options, training, { round: keptRound, attempt: keptAttempt })
      : undefined;
  const server = typeof stateHash === "string" ? await loadState(options, plan, stateHash as Sha256) : undefined;
  return { training, kept, server };
}

/** The strategy's vectors as the coordinator keeps them. */
async function loadState({ session, signal }: AnswerTaskOptions, plan: RunPlan, hash: Sha256): Promise<Readonly<Record<string, Float64Array>>> {
  const file = await session.call(() => session.transport.blobs.get(hash, { expectedSizeBytes: plan.stateBytes ?? 0, signal }));
  const { length } = sharingOf(plan.model);
  return Object.fromEntries(
    [...decodeSafetensors(file)].map(([name, tensor]) => {
      if (tensor.dtype === "F64" && tensor.data.length === length) return [name, tensor.data];
      throw new NexusError(
        "DATA_INVALID",
        `The strategy's vector "${name}" has ${tensor.data.length} values of ${tensor.dtype}, not ${length} of F64.`,
      );
    }),
  );
}

/** Keeps what stays with the party, before the coordinator can count on it. */
async function keep({ task, kept }: AnswerTaskOptions, { spec, plan }: TrainingTask, values: Float32Array): Promise<void> {
  let at = 0;
  const tensors = keptTensors(sharingOf(plan.model), createStrategy(spec.strategy)).map(({ name, shape, length }) => {
    at += length;
    return [name, { shape, data: values.subarray(at - length, at) }] as const;
  });
  await kept.write(task.runId, task, new Map(tensors));
}

/** What the party kept, its tensors that are not shared put over the initial ones, which the model's file has; undefined when it is lost. */
async function recall(options: AnswerTaskOptions, { spec, plan, parameters }: TrainingTask, after: KeptAfter): Promise<Float32Array | undefined> {
  const { task, kept, onLost } = options;
  const sharing = sharingOf(plan.model);
  const strategy = createStrategy(spec.strategy);
  const lost = (reason: string) => {
    onLost?.(reason);
    return undefined;
  };
  const found = await kept.read(task.runId, after);
  if ("lost" in found) return lost(found.lost);
  const values = new Float32Array(keptLength(sharing, strategy));
  let at = 0;
  for (const { name, length } of keptTensors(sharing, strategy)) {
    const data = found.values.get(name)?.data;
    if (data?.length !== length) return lost(`what is kept has not the ${length} values of "${name}"`);
    values.set(data, at);
    at += length;
  }
  placeLocal(values.subarray(0, sharing.localLength), parameters, sharing);
  await kept.forgetBefore(task.runId, after);
  return values;
}

/** Whether the coordinator was out of reach or busy, rather than of another opinion. */
export function isConnectionProblem(error: unknown): boolean {
  return error instanceof NexusError && (error.retryable || error.code === "UNAUTHENTICATED" || error.code === "INTERRUPTED");
}

function trainerFailure(error: unknown, node: string): NexusError {
  if (error instanceof NexusError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new NexusError("TRAINER_FAILED", `The trainer of ${node} failed: ${message}`, { cause: error });
}
