import type { Sha256 } from "@ciphernx/core/blobs";
import { NexusError, toNexusError } from "@ciphernx/core/errors";
import { redactSecrets } from "@ciphernx/core/identity/redact";
import { sleep } from "@ciphernx/core/lifecycle";
import { sign } from "@ciphernx/crypto/keys";
import type { SecAggPrimitives } from "@ciphernx/crypto/secagg";
import { SumStep, type Task, TaskKind } from "@ciphernx/protocol/proto";
import { reportBytes, startBytes } from "@ciphernx/protocol/wire";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { type AggregationKernel, type CoordinateVector, encodeUpdateFile, newVector } from "../../aggregation/index.ts";
import type { Tracer } from "@opentelemetry/api";
import { inSpan } from "../tracing/in-span.ts";
import { REPORT } from "../tracing/attributes.ts";
import { inTaskSpan } from "../tracing/task-span.ts";
import type { Trainer } from "../../training/index.ts";
import type { TaskPlan } from "../../spec/index.ts";
import type { PhaseKind } from "../round/run-round.ts";
import { taskFileSizeBytes, uploadLayout } from "../round/upload-layout.ts";
import type { AuditHeads } from "./follow-audit-heads.ts";
import { countRows } from "./count-rows.ts";
import type { DatasetGuard } from "./dataset-guard.ts";
import { encode } from "./encode.ts";
import { evaluate } from "./evaluate.ts";
import { fit } from "./fit.ts";
import type { NodeIdentity } from "./identity.ts";
import { judgeBase } from "./judge-base.ts";
import type { KeptValues } from "./kept-values.ts";
import { type AgreedTask, askOwner, keep, prepareTask, readTask } from "./prepare-task.ts";
import type { NodeRoster } from "./follow-roster.ts";
import type { PlanParties } from "./plan-parties.ts";
import type { NodeSession } from "./session.ts";
import { peersOf } from "./sum/peers.ts";
import { type JournalledSum, type SumJournal, sumStanding } from "./sum/sum-journal.ts";
import { restarted, takePart } from "./sum/take-part.ts";
import type { TaskMemory } from "./task-memory.ts";

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

export interface AnswerTaskOptions {
  /** Traces what becomes of the task; undefined: nothing is traced. */
  readonly tracer?: Tracer | undefined;
  readonly session: NodeSession;
  readonly identity: NodeIdentity;
  readonly trainer: Trainer;
  readonly kernel: AggregationKernel;
  readonly task: Task;
  /** Of this node alone: one task at a time uses it. */
  readonly memory: TaskMemory;
  readonly signal: AbortSignal;
  /** Speaks for the owners of the node's datasets. */
  readonly guard: DatasetGuard;
  /** What this node has seen of the coordinator's audit log. */
  readonly auditHeads?: AuditHeads | undefined;
  /** Who may take part beside this node; undefined where nobody said whose node it is: then with everybody. */
  readonly roster?: NodeRoster | undefined;
  /** Where the parties of plans are read, by nodes that look at all of them. */
  readonly parties: PlanParties;
  /** For protected sums. */
  readonly secAgg: () => Promise<SecAggPrimitives>;
  /** What this node remembers of protected sums. */
  readonly sums: SumJournal;
  /** Where the party's own values of tensors that it does not share are kept from round to round. */
  readonly kept: KeptValues;
  /** Told when values that the party should have kept are gone: it goes on from the initial ones. */
  readonly onLost?: (reason: string) => void;
  /** SHA-256 of an upload; a faster one than the default where the platform has it. */
  readonly digest?: (bytes: Uint8Array) => string;
  /** Told whenever a finished answer cannot be sent and waits for the coordinator. */
  readonly onWaiting?: (error: NexusError) => void;
}

/** A vector that nobody but this node may see. */
interface HiddenVector {
  readonly vector: CoordinateVector;
  readonly asked: AgreedTask;
  readonly kind: PhaseKind;
}

/** How a task ended at the node. */
export type Answer =
  | { readonly kind: "accepted" }
  | { readonly kind: "refused"; readonly error: NexusError }
  | { readonly kind: "failed"; readonly error: NexusError };

/** What is signed and sent. */
interface Outcome {
  /** The upload; absent when the task failed, or when a vector is masked first. */
  readonly file?: Uint8Array<ArrayBuffer>;
  /** The upload was made ready before the node was stopped. */
  readonly isAgain?: boolean;
  /** What goes into a protected sum. */
  readonly hidden?: HiddenVector;
  readonly weight: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly failure?: { readonly code: string; readonly message: string };
}

/**
 * One task as the data lives it: check terms → load model → fit → encode → sign → upload → report. A trainer that
 * fails is reported as a failure, so that the round need not wait.
 * @throws NexusError of the connection; whoever calls tries again, the task stays open
 */
export function answerTask(options: AnswerTaskOptions): Promise<Answer> {
  const { task, identity, tracer } = options;
  return inTaskSpan(tracer, task, identity.nodeId, () => answer(options));
}

async function answer(options: AnswerTaskOptions): Promise<Answer> {
  const { identity, memory, signal } = options;
  const startedAt = performance.now();
  let outcome: Outcome;
  let failure: NexusError | undefined;
  try {
    const again = await maskedBefore(options);
    outcome = again === undefined ? await work(options) : { file: again, isAgain: true, weight: 0, metrics: {} };
  } catch (error) {
    if (signal.aborted || isConnectionProblem(error)) throw error;
    failure = trainerFailure(error, identity.name);
    outcome = { weight: 0, metrics: {}, failure: { code: failure.code, message: redactSecrets(failure.message) } };
  }
  try {
    if (outcome.hidden === undefined) await report(options, outcome, startedAt);
    if (outcome.isAgain === true) await leaveSum(options);
    if (outcome.hidden !== undefined) await hide(options, outcome.hidden, (file) => report(options, { file, weight: 0, metrics: {} }, startedAt));
  } catch (error) {
    if (signal.aborted || isConnectionProblem(error)) throw error;
    const known = toNexusError(error);
    return known.code === "SUM_REFUSED" ? { kind: "failed", error: known } : { kind: "refused", error: known };
  }
  // The upload has arrived whole: nothing reads it any more.
  memory.rest();
  return failure === undefined ? { kind: "accepted" } : { kind: "failed", error: failure };
}

/** Signs an answer and sends it. @throws NexusError as the coordinator refuses it */
async function report(options: AnswerTaskOptions, outcome: Outcome, startedAt: number): Promise<void> {
  const { session, identity, task, signal, tracer, digest = (bytes) => bytesToHex(sha256(bytes)) } = options;
  const { taskId, runId, round, attempt, specHash, planHash, baseModelHash } = task;
  const { failure: failed, file, hidden: _, isAgain: __, ...learnt } = outcome;
  const blobHash = file === undefined ? "" : digest(file);
  const signed = {
    taskId,
    runId,
    round,
    attempt,
    specHash,
    planHash,
    baseModelHash,
    blobHash,
    ...learnt,
    weight: BigInt(outcome.weight),
    metrics: { ...outcome.metrics },
    ...(failed === undefined ? {} : { failure: failed }),
  };
  const signature = await sign(identity.key, reportBytes(signed));
  const durationMs = Math.round(performance.now() - startedAt);
  const send = async (): Promise<void> => {
    if (file !== undefined) {
      const blob = { hash: blobHash as Sha256, sizeBytes: file.length, taskId, signal, deadlineUnixMs: Number(task.deadlineUnixMs) };
      await inSpan(tracer, "upload", { kind: "client" }, () => session.call(() => session.transport.blobs.put(file, blob)));
    }
    await inSpan(tracer, REPORT["rpc.method"], { kind: "client", attributes: REPORT }, () =>
      session.call((client) => client.report({ ...signed, signature, durationMs }, { signal })),
    );
  };
  await persistently(send, options);
}

/** Tells that nobody need wait for this node in what is left of a sum. */
async function leaveSum(options: AnswerTaskOptions): Promise<void> {
  const { session, identity, task, signal } = options;
  const contribution = { step: restarted(identity, task.round) };
  await persistently(
    () => session.call((client) => client.takeSumStep({ taskId: task.taskId, contribution, after: SumStep.VECTOR }, { signal })),
    options,
  );
}

/** Masks a vector and takes it through its sum. @throws NexusError SUM_REFUSED, TASK_CLOSED */
async function hide(options: AnswerTaskOptions, { vector, asked, kind }: HiddenVector, send: (masked: Uint8Array<ArrayBuffer>) => Promise<void>) {
  const { session, identity, task, memory, signal, roster, parties, secAgg, sums, tracer } = options;
  const { plan } = asked;
  const followed = await session.call(async () => roster?.follow(session.transport, plan.roster));
  if (followed === undefined) {
    throw new NexusError("SUM_REFUSED", `Nobody has told ${identity.name} whose node it is, so it cannot tell who the other parties of a sum are.`, {
      hint: "`nexus node approve NAME --org FOLDER --folder DIR` signs for the node and tells it, then start it again.",
    });
  }
  const list = await parties.of(session, task, plan);
  if (plan.protection?.metricsRide === true && list.some(({ testExamples }) => testExamples === 0)) {
    throw new NexusError(
      "SUM_REFUSED",
      "Not every party of the plan holds out rows: metrics that ride with the updates would be sums of fewer parties.",
    );
  }
  await inSpan(tracer, "mask", {}, async () =>
    takePart({
      ...{ session, identity, journal: sums, primitives: await secAgg(), task, kind, plan, vector, signal, send },
      directory: peersOf(plan, list, followed),
      place: task.partyIndex,
      sum: journalledSum(task, kind),
      into: new Uint8Array(memory.of("masked", taskFileSizeBytes(plan, kind))),
      persistently: (action) => persistently(action, options),
    }),
  );
}

/**
 * The vector that this node had made ready for the task before it was stopped: exactly that one goes out again, since its masks are spent.
 * @throws NexusError SUM_REFUSED when the node must not take part in the attempt any more
 */
async function maskedBefore({ task, identity, sums }: AnswerTaskOptions): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const kind = KINDS[task.kind];
  if (kind === undefined || (JSON.parse(task.planJson) as Partial<TaskPlan>).protection === undefined) return undefined;
  const sum = journalledSum(task, kind);
  const vector = await sums.vector(sum);
  const standing = sumStanding(await sums.entries(sum.run), sum, vector !== undefined);
  if (standing.kind !== "spent") return standing.kind === "masked" ? vector : undefined;
  throw new NexusError("SUM_REFUSED", `${identity.name} takes no part in attempt ${task.attempt} at round ${task.round}: ${standing.reason}.`);
}

const KINDS: Readonly<Partial<Record<TaskKind, PhaseKind>>> = {
  [TaskKind.STATISTICS]: "statistics",
  [TaskKind.FIT]: "fit",
  [TaskKind.EVALUATE]: "evaluate",
};

/** A run by how its start was signed: a coordinator that shows it under a second id shows the same run. */
function journalledSum({ start, runId, specHash, planHash, round, attempt }: Task, kind: PhaseKind): JournalledSum {
  const { organisation = "", initialModelHash = "", idempotencyKey = runId } = start ?? {};
  const run = bytesToHex(sha256(startBytes({ organisation, specHash, planHash, initialModelHash, idempotencyKey })));
  return { run, kind, round, attempt };
}

/** Does what a task asks for. The owner of the data is asked before it and after it: a fit may take longer than an approval lasts. */
async function work(options: AnswerTaskOptions): Promise<Outcome> {
  const { trainer, kernel, task, memory, tracer } = options;
  switch (task.kind) {
    case TaskKind.STATISTICS: {
      const asked = await inSpan(tracer, "check terms", {}, () => readTask(options));
      const counted = await inSpan(tracer, "count rows", {}, () => countRows(trainer, asked));
      await inSpan(tracer, "check terms", {}, () => askOwner(options, asked));
      // The sums are in the upload alone: there can be as many as a large table has columns and bins.
      const vector = await inSpan(tracer, "encode", {}, async () => encode(kernel, asked, "statistics", counted));
      return outcomeOf(asked, "statistics", vector, { weight: counted.weight, metrics: {} });
    }
    case TaskKind.FIT: {
      const { training, kept, server } = await prepareTask(options);
      // Before the fit, which may use the model's memory.
      const judging = () => judgeBase(trainer, training);
      const base = training.plan.protection?.metricsRide === true ? await inSpan(tracer, "evaluate", {}, judging) : {};
      const update = await inSpan(tracer, "fit", {}, () => fit(trainer, training, { into: training.parameters, kept, server }));
      await inSpan(tracer, "check terms", {}, () => askOwner(options, training));
      if (update.kept !== undefined) await keep(options, training, update.kept);
      const vector = await inSpan(tracer, "encode", {}, async () =>
        encode(
          kernel,
          training,
          "fit",
          { ...update, heldOutSums: base },
          newVector(uploadLayout(training.plan, "fit"), (sizeBytes) => memory.of("update", sizeBytes)),
        ),
      );
      return outcomeOf(training, "fit", vector, update);
    }
    case TaskKind.EVALUATE: {
      const { training } = await prepareTask(options);
      const judged = await inSpan(tracer, "evaluate", {}, () => evaluate(trainer, training));
      await inSpan(tracer, "check terms", {}, () => askOwner(options, training));
      const vector = await inSpan(tracer, "encode", {}, async () => encode(kernel, training, "evaluate", { ...judged, delta: new Float32Array() }));
      return outcomeOf(training, "evaluate", vector, judged);
    }
    case TaskKind.UNSPECIFIED:
      break;
  }
  throw new NexusError("TRAINER_FAILED", `The task ${task.taskId} asks for something that this version of the node does not know.`, {
    hint: "Install the coordinator's version on the node.",
  });
}

/** An encoded vector as it is sent: as it is, with its sums beside it, or hidden, with nothing beside it. */
function outcomeOf(asked: AgreedTask, kind: PhaseKind, vector: CoordinateVector, { weight, metrics }: Pick<Outcome, "weight" | "metrics">): Outcome {
  return asked.plan.protection === undefined
    ? { file: encodeUpdateFile(vector), weight, metrics }
    : { hidden: { vector, asked, kind }, weight: 0, metrics: {} };
}

/**
 * Sends a finished answer until it is taken, refused, or too late: what was learnt in an hour is not learnt again because the
 * coordinator restarts for a second. An upload is kept in its memory until the report, so both are sent again.
 */
async function persistently<T>(send: () => Promise<T>, { task, signal, onWaiting }: AnswerTaskOptions): Promise<T> {
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

/** Whether the coordinator was out of reach or busy, rather than of another opinion. */
export function isConnectionProblem(error: unknown): boolean {
  return error instanceof NexusError && (error.retryable || error.code === "UNAUTHENTICATED" || error.code === "INTERRUPTED");
}

function trainerFailure(error: unknown, node: string): NexusError {
  if (error instanceof NexusError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new NexusError("TRAINER_FAILED", `The trainer of ${node} failed: ${message}`, { cause: error });
}
