import type { Sha256 } from "@ciphernx/core/blobs";
import { NexusError, toNexusError } from "@ciphernx/core/errors";
import { type Id, newId } from "@ciphernx/core/ids";
import { sleep } from "@ciphernx/core/lifecycle";
import {
  blobs,
  createPool,
  databaseError,
  type DatabasePool,
  endPool,
  retrying,
  rounds,
  runs,
  type StartedBy,
  type Transaction,
} from "@ciphernx/core/store";
import { DBOS } from "@dbos-inc/dbos-sdk";
import { and, asc, eq, ne } from "@ciphernx/core/store/sql";
import { initialModel } from "../../models/index.ts";
import { exposure, type RunPlan, type RunSpec } from "../../spec/index.ts";
import { encodeSafetensors, safetensorsHeader } from "../../tensor/index.ts";
import { type RoundOutcome, runRound } from "../round/run-round.ts";
import { runStatistics, type StatisticsGathered, STATISTICS_ROUND } from "../round/run-statistics.ts";
import { collectStrayFiles, createBlobCollector } from "./collect-blobs.ts";
import { durableHost, durableStep, forever } from "./durable-host.ts";
import { answersKey, type EngineContext, type RoundContext, runKey } from "./engine-context.ts";
import { appendEvents } from "./event-log.ts";
import { finishRun } from "./finish-run.ts";
import { hostedRun } from "./hosted-run.ts";
import { quorumNotReached } from "./quorum-not-reached.ts";
import { progress, reachedRound } from "./reached-round.ts";
import { superviseRuns } from "./supervise-runs.ts";

/**
 * Stored with every workflow: one of another version is never recovered, so it changes only together with a migration that carries
 * workflows over, never with the code.
 */
const WORKFLOW_VERSION = "1";
/** One coordinator owns a database (the store's lock sees to that), so the executor that recovers is always the one that crashed. */
const EXECUTOR_ID = "coordinator";
const SHUTDOWN_TIMEOUT_MS = 5_000;

/** Connections of the workflow engine, beside the store's own. */
const WORKFLOW_CONNECTIONS = 5;

/** Where a round's workflow begins. */
interface RoundStart {
  readonly round: number;
  readonly firstAttempt: number;
  readonly abandoned: number;
}

export interface StartRunOptions {
  readonly projectId: string;
  readonly spec: RunSpec;
  readonly plan: RunPlan;
  /** Same key, same run. */
  readonly idempotencyKey?: string | undefined;
  /** A checkpoint among the blobs, instead of the seeded initialisation. */
  readonly initialModel?: Sha256 | undefined;
  /** The organisation that starts it; where the project has a roster. */
  readonly startedBy?: StartedBy | undefined;
  /** Keeps that the run is started, within the transaction that starts it. */
  readonly recorded?: ((tx: Transaction, runId: string) => Promise<void>) | undefined;
}

/** Runs rounds, each as one durable workflow; recovers what a crash interrupted. */
export interface Engine {
  /** Starts a run; its first round opens at once. Returns the run's id, of the earlier run when the key was used before. */
  start(options: StartRunOptions): Promise<Id<"run">>;
  /** Stops a run at once: a round under way is given up, the last committed model stays. */
  stop(runId: string): Promise<void>;
  /** Goes on with a stopped run at the round it had reached. */
  resume(runId: string): Promise<void>;
  /** Stops taking new steps. What is under way goes on in the next process. */
  close(): Promise<void>;
}

/** The one engine of this process; workflows that DBOS recovers look here. */
let current: RoundContext | undefined;
/** How many workflows of each run are at work in this process. */
const underway = new Map<string, number>();

const roundWorkflow = DBOS.registerWorkflow(roundOfRun, { name: "round" });

/** Launches the engine over a store and takes up every unfinished run. One a process. */
export async function launchEngine(context: EngineContext): Promise<Engine> {
  if (current !== undefined) throw new NexusError("INTERNAL", "This process has a round engine already.");
  // A round is committed, whatever becomes of the blobs that nobody needs any more.
  const collector = createBlobCollector(context.store, context.blobLock, (error) =>
    context.log("warn", `Unreferenced blobs stay until the next commit: ${databaseError(error).message}`),
  );
  current = { ...context, collector };
  const pool = createPool(context.store.databaseUrl, {
    max: WORKFLOW_CONNECTIONS,
    log: (level, message, error) => context.log(level, message, { err: error, from: "dbos" }),
  });
  try {
    await launchWorkflows(context, pool);
  } catch (error) {
    current = undefined;
    await endPool(pool, SHUTDOWN_TIMEOUT_MS);
    throw error;
  }
  const supervision = superviseRuns(context, { underway: (runId) => underway.has(runId), takeUp: (run) => takeUpRun(context, run) });

  return {
    start: (options) => startRun(context, options),
    stop: (runId) => stopRun(context, runId),
    resume: (runId) => resumeRun(context, runId),
    async close() {
      supervision[Symbol.dispose]();
      await shutDownWorkflows();
      await collector.idle();
      await endPool(pool, SHUTDOWN_TIMEOUT_MS);
      current = undefined;
    },
  };
}

/** Gives the workflows that the last process left behind to this one. */
async function launchWorkflows(context: EngineContext, pool: DatabasePool): Promise<void> {
  await collectStrayFiles(context.store);
  DBOS.setConfig({
    name: "cipher-nexus",
    systemDatabaseUrl: context.store.databaseUrl,
    systemDatabasePool: pool,
    applicationVersion: WORKFLOW_VERSION,
    executorID: EXECUTOR_ID,
    enableOTLP: false,
    logger: quietLogger(context),
  });
  await DBOS.launch();
}

/** A statement of DBOS that hangs in the database is waited for no longer than this; the database is closed after the engine. */
async function shutDownWorkflows(): Promise<void> {
  const done = new AbortController();
  const late = sleep(SHUTDOWN_TIMEOUT_MS, { signal: done.signal }).catch(() => {}); // it was in time
  await Promise.race([DBOS.shutdown(), late]).finally(() => done.abort());
}

function quietLogger(context: EngineContext) {
  const say = (level: "info" | "warn" | "error") => (entry: unknown) =>
    context.log(level, entry instanceof Error ? entry.message : String(entry), { from: "dbos" });
  return { info: () => {}, debug: () => {}, warn: say("warn"), error: say("error") };
}

async function startRun(context: EngineContext, options: StartRunOptions): Promise<Id<"run">> {
  const { store, blobLock, waiters } = context;
  const { projectId, spec, plan, idempotencyKey } = options;
  const started = await blobLock.shared(async () => {
    const initial = options.initialModel ?? (await store.blobs.put(encodeSafetensors(initialModel(plan, spec.seed))));
    if (options.initialModel !== undefined) await checkCheckpoint(context, plan, options.initialModel);
    const sizeBytes = await store.blobs.size(initial);
    return store.db.transaction(async (tx) => {
      await tx
        .insert(blobs)
        .values({ hash: initial, sizeBytes: sizeBytes ?? plan.model.sizeBytes, kind: "model" })
        .onConflictDoUpdate({ target: blobs.hash, set: { kind: "model" } });
      const id = newId("run");
      const inserted = await tx
        .insert(runs)
        .values({
          id,
          projectId,
          name: spec.name,
          spec,
          specHash: plan.specHash,
          plan,
          exposure: exposure(plan),
          seed: spec.seed,
          state: "starting",
          rounds: plan.rounds,
          initialModelHash: initial,
          modelHash: initial,
          idempotencyKey: idempotencyKey ?? null,
          startedBy: options.startedBy ?? null,
        })
        .onConflictDoNothing({ target: runs.idempotencyKey })
        .returning({ id: runs.id });
      if (inserted.length > 0) {
        await appendEvents(tx, id, [{ type: "run-started", payload: { name: spec.name, rounds: plan.rounds, parties: plan.parties.length } }]);
        await options.recorded?.(tx, id);
        return { id, fresh: true };
      }
      const [earlier] = await tx
        .select({ id: runs.id, specHash: runs.specHash })
        .from(runs)
        .where(eq(runs.idempotencyKey, idempotencyKey ?? ""));
      if (earlier?.specHash !== plan.specHash) {
        throw new NexusError("RUN_STATE", `The idempotency key "${idempotencyKey}" started the run ${earlier?.id} with another spec.`, {
          hint: "Use a new key for a new spec.",
        });
      }
      return { id: earlier.id as Id<"run">, fresh: false };
    });
  });
  if (started.fresh) {
    waiters.wake(runKey(started.id));
    await startRound(started.id, {
      round: reachedRound({ currentRound: 0, awaitsStatistics: plan.preprocess !== undefined }),
      firstAttempt: 1,
      abandoned: 0,
    });
  }
  return started.id;
}

/** A run starts from the canonical file of its own tensors and no other, so that its hash means the same everywhere. */
async function checkCheckpoint({ store }: EngineContext, plan: RunPlan, checkpoint: Sha256): Promise<void> {
  const header = safetensorsHeader(plan.model.tensors);
  const sizeBytes = await store.blobs.size(checkpoint);
  const found = sizeBytes === plan.model.sizeBytes ? await store.blobs.read(checkpoint, 0, header.length) : undefined;
  if (found !== undefined && header.every((byte, index) => found[index] === byte)) return;
  const tensors = plan.model.tensors.map(({ name, shape }) => `${name} [${shape.join(", ")}]`).join(", ");
  throw new NexusError("SPEC_REFUSED", `The checkpoint ${checkpoint} is not the canonical safetensors file of this model: F32 tensors ${tensors}.`, {
    hint: "Start from a model of a run with the same `model` section, or upload the parameters with runs.start(spec, { initial }).",
    details: { checkpoint },
  });
}

async function stopRun(context: EngineContext, runId: string): Promise<void> {
  const { store, waiters } = context;
  const changed = await store.db
    .update(runs)
    .set({ stopRequested: true })
    .where(and(eq(runs.id, runId), ne(runs.state, "finished")))
    .returning({ id: runs.id });
  if (changed.length === 0) throw await wrongState(context, runId, "stopped");
  waiters.wake(answersKey(runId));
}

async function resumeRun(context: EngineContext, runId: string): Promise<void> {
  const { store, waiters } = context;
  const resumed = await store.db.transaction(async (tx) => {
    const [row] = await tx
      .update(runs)
      .set({ stopRequested: false, state: "running", outcome: null, reason: null, finishedAt: null })
      .where(and(eq(runs.id, runId), eq(runs.state, "finished"), ne(runs.outcome, "completed")))
      .returning(progress);
    if (row === undefined) return undefined;
    const round = reachedRound(row);
    await appendEvents(tx, runId, [{ type: "run-resumed", payload: { round } }]);
    return round;
  });
  if (resumed === undefined) throw await wrongState(context, runId, "resumed");
  waiters.wake(runKey(runId));
  await startRound(runId, await nextStart(context, runId, resumed));
}

async function wrongState(context: EngineContext, runId: string, wanted: string): Promise<NexusError> {
  const [row] = await context.store.db.select({ state: runs.state, outcome: runs.outcome }).from(runs).where(eq(runs.id, runId));
  if (row === undefined) return new NexusError("RUN_NOT_FOUND", `No run has the id ${runId}.`);
  return new NexusError("RUN_STATE", `The run ${runId} is ${row.outcome ?? row.state} and cannot be ${wanted}.`, { details: { run: runId, ...row } });
}

/** Where a round goes on: in the attempt that is under way, or after those that were given up. */
async function nextStart({ store }: EngineContext, runId: string, round: number): Promise<RoundStart> {
  const attempts = await store.db
    .select({ attempt: rounds.attempt, state: rounds.state, transcript: rounds.transcript })
    .from(rounds)
    .where(and(eq(rounds.runId, runId), eq(rounds.round, round)))
    .orderBy(asc(rounds.attempt));
  const last = attempts.at(-1);
  const firstAttempt = last === undefined ? 1 : last.state === "abandoned" ? last.attempt + 1 : last.attempt;
  // After a resume the attempts count anew; only the draws go on where they were, so that a stop changes no cohort.
  const abandoned = attempts.filter(({ transcript }) => (transcript as { readonly abandoned?: string } | null)?.abandoned === "quorum").length;
  return { round, firstAttempt, abandoned };
}

/** Id of a round's workflow: run, round and first attempt, so that starting it twice starts it once. */
function workflowId(runId: string, start: RoundStart): string {
  return `${runId}/${start.round}${start.firstAttempt === 1 ? "" : `.${start.firstAttempt}`}`;
}

async function startRound(runId: string, start: RoundStart, id = workflowId(runId, start)): Promise<void> {
  await DBOS.startWorkflow(roundWorkflow, { workflowID: id })(runId, start);
}

/**
 * Starts a workflow for a run that has none any more: the process was killed between the commit of a round and the start of the next, or
 * DBOS gave the workflow up. Steps leave rows that a repetition finds, so the new workflow goes through the same attempt again and
 * takes from the rows what was done.
 */
async function takeUpRun(context: EngineContext, run: { readonly id: string }): Promise<void> {
  const [row] = await context.store.db.select(progress).from(runs).where(eq(runs.id, run.id));
  if (row === undefined) return;
  const start = await nextStart(context, run.id, reachedRound(row));
  const id = workflowId(run.id, start);
  const known = await DBOS.getWorkflowStatus(id);
  if (known === null) return startRound(run.id, start, id);
  // Whoever starts or resumes the run was quicker.
  if (known.status === "PENDING" || known.status === "ENQUEUED") return;
  // An ended workflow keeps its id; starting it again would do nothing.
  const repetitions = await DBOS.listWorkflows({ workflow_id_prefix: `${id}~`, loadInput: false, loadOutput: false });
  await startRound(run.id, start, `${id}~${repetitions.length + 2}`);
}

/** The workflow of one round. Everything that can change is behind a durable step; spec and plan never change. */
async function roundOfRun(runId: string, start: RoundStart): Promise<string> {
  const context = current;
  if (context === undefined) throw new NexusError("INTERNAL", "A round was started in a process without a round engine.");
  underway.set(runId, (underway.get(runId) ?? 0) + 1);
  try {
    return await roundOrEnd(context, runId, start);
  } catch (error) {
    if (!context.closing.aborted) throw error;
  } finally {
    const others = (underway.get(runId) ?? 1) - 1;
    if (others === 0) underway.delete(runId);
    else underway.set(runId, others);
  }
  // The process is about to end: the workflow must be recorded neither as done nor as failed.
  return forever();
}

async function roundOrEnd(context: RoundContext, runId: string, start: RoundStart): Promise<string> {
  const end = (outcome: "failed" | "stopped", why: NexusError | null | (() => Promise<NexusError>)): Promise<void> =>
    durableStep(context, runId, "finish", async () => {
      const error = typeof why === "function" ? await why() : why;
      await finishRun(context, { runId, round: start.round, outcome, error });
    });
  try {
    const run = await retrying(() => hostedRun(context.store, runId), { signal: context.closing });
    switch (await durableStep(context, runId, "begin", () => beginning(context, runId, start.round))) {
      case "go":
        break;
      case "over":
        return "over";
      case "stop":
        await end("stopped", null);
        return "stopped";
    }
    const host = durableHost(context, run);
    const traced = { runId, round: start.round, strategy: run.spec.strategy.kind, parties: run.plan.parties.length };
    const outcome = await context.traces.round<StatisticsGathered | RoundOutcome>(traced, () =>
      start.round === STATISTICS_ROUND ? runStatistics(host, { ...run, ...start }) : runRound(host, { ...run, ...start }),
    );
    switch (outcome.kind) {
      case "committed":
        if (start.round < run.plan.rounds) await startRound(runId, { round: start.round + 1, firstAttempt: 1, abandoned: 0 });
        break;
      case "stopped":
        await end("stopped", null);
        break;
      case "failed":
        await end("failed", () => quorumNotReached(context.store, { ...run.plan.cohort, ...outcome, runId, round: start.round }));
        break;
    }
    return outcome.kind;
  } catch (error) {
    if (context.closing.aborted) throw error;
    const failure = toNexusError(error);
    if (passes(error)) {
      context.log("warn", `The workflow of round ${start.round} of ${runId} broke off and is started again: ${failure.message}`, { run: runId });
      throw error;
    }
    context.log("error", `Round ${start.round} of ${runId} failed: ${failure.message}`, { run: runId, code: failure.code });
    await end("failed", failure);
    return "failed";
  }
}

/** Whether an error is of the machinery, not of the round: DBOS met a database that was away, or steps of another version of the code. */
function passes(error: unknown): boolean {
  return (error instanceof Error && "dbosErrorCode" in error) || databaseError(error).retryable;
}

/** Whether a round is still to be run. It is over when another workflow of the run has committed it. */
async function beginning({ store }: EngineContext, runId: string, round: number): Promise<"go" | "stop" | "over"> {
  const [row] = await store.db
    .select({ ...progress, state: runs.state, stop: runs.stopRequested })
    .from(runs)
    .where(eq(runs.id, runId));
  if (row === undefined || row.state === "finished" || reachedRound(row) > round) return "over";
  return row.stop ? "stop" : "go";
}
