import type { Sha256 } from "@ciphernx/core/blobs";
import { NexusError, toNexusError } from "@ciphernx/core/errors";
import { type Id, newId } from "@ciphernx/core/ids";
import { blobs, retrying, rounds, runs } from "@ciphernx/core/store";
import { DBOS } from "@dbos-inc/dbos-sdk";
import { and, eq, max, ne, sql } from "drizzle-orm";
import { initialModel } from "../../models/index.ts";
import type { RunPlan, RunSpec } from "../../spec/index.ts";
import { createStrategy } from "../../strategy/index.ts";
import { encodeSafetensors, safetensorsHeader } from "../../tensor/index.ts";
import { runRound } from "../round/run-round.ts";
import { collectStrayFiles } from "./collect-blobs.ts";
import { durableHost, type EngineContext, type HostedRun, runKey } from "./durable-host.ts";
import { appendEvents } from "./event-log.ts";
import { finishRun } from "./finish-run.ts";

/**
 * Stored with every workflow: one of another version is never recovered, so it changes only together with a migration that carries
 * workflows over, never with the code.
 */
const WORKFLOW_VERSION = "1";
/** One coordinator owns a database (the store's lock sees to that), so the executor that recovers is always the one that crashed. */
const EXECUTOR_ID = "coordinator";

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
let current: EngineContext | undefined;

const roundWorkflow = DBOS.registerWorkflow(roundOfRun, { name: "round" });

/** Launches the engine over a store and takes up every unfinished run. One a process. */
export async function launchEngine(context: EngineContext): Promise<Engine> {
  if (current !== undefined) throw new NexusError("INTERNAL", "This process has a round engine already.");
  current = context;
  await collectStrayFiles(context.store);
  DBOS.setConfig({
    name: "cipher-nexus",
    systemDatabaseUrl: context.store.databaseUrl,
    systemDatabasePoolSize: 5,
    applicationVersion: WORKFLOW_VERSION,
    executorID: EXECUTOR_ID,
    enableOTLP: false,
    logger: quietLogger(context),
  });
  await DBOS.launch();
  await takeUpRuns(context);

  return {
    start: (options) => startRun(context, options),
    stop: (runId) => stopRun(context, runId),
    resume: (runId) => resumeRun(context, runId),
    async close() {
      await DBOS.shutdown();
      current = undefined;
    },
  };
}

function quietLogger(context: EngineContext) {
  const say = (level: "info" | "warn" | "error") => (entry: unknown) => context.log(level, entry instanceof Error ? entry.message : String(entry), { from: "dbos" });
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
          seed: spec.seed,
          state: "starting",
          rounds: plan.rounds,
          initialModelHash: initial,
          modelHash: initial,
          idempotencyKey: idempotencyKey ?? null,
        })
        .onConflictDoNothing({ target: runs.idempotencyKey })
        .returning({ id: runs.id });
      if (inserted.length > 0) {
        await appendEvents(tx, id, [{ type: "run-started", payload: { name: spec.name, rounds: plan.rounds, parties: plan.parties.length } }]);
        return { id, fresh: true };
      }
      const [earlier] = await tx.select({ id: runs.id, specHash: runs.specHash }).from(runs).where(eq(runs.idempotencyKey, idempotencyKey ?? ""));
      if (earlier?.specHash !== plan.specHash) {
        throw new NexusError("RUN_STATE", `The idempotency key "${idempotencyKey}" started the run ${earlier?.id} with another spec.`, { hint: "Use a new key for a new spec." });
      }
      return { id: earlier.id as Id<"run">, fresh: false };
    });
  });
  if (started.fresh) {
    waiters.wake(runKey(started.id));
    await startRound(started.id, { round: 1, firstAttempt: 1, abandoned: 0 });
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
  waiters.wake(runKey(runId));
}

async function resumeRun(context: EngineContext, runId: string): Promise<void> {
  const { store, waiters } = context;
  const resumed = await store.db.transaction(async (tx) => {
    const [row] = await tx
      .update(runs)
      .set({ stopRequested: false, state: "running", outcome: null, reason: null, finishedAt: null })
      .where(and(eq(runs.id, runId), eq(runs.state, "finished"), ne(runs.outcome, "completed")))
      .returning({ currentRound: runs.currentRound });
    if (row !== undefined) await appendEvents(tx, runId, [{ type: "run-resumed", payload: { round: row.currentRound + 1 } }]);
    return row;
  });
  if (resumed === undefined) throw await wrongState(context, runId, "resumed");
  waiters.wake(runKey(runId));
  await startRound(runId, await nextStart(context, runId, resumed.currentRound + 1));
}

async function wrongState(context: EngineContext, runId: string, wanted: string): Promise<NexusError> {
  const [row] = await context.store.db.select({ state: runs.state, outcome: runs.outcome }).from(runs).where(eq(runs.id, runId));
  if (row === undefined) return new NexusError("RUN_NOT_FOUND", `No run has the id ${runId}.`);
  return new NexusError("RUN_STATE", `The run ${runId} is ${row.outcome ?? row.state} and cannot be ${wanted}.`, { details: { run: runId, ...row } });
}

/** Where a round goes on: after the attempts that were stopped or failed with an earlier process or before a resume. */
async function nextStart({ store }: EngineContext, runId: string, round: number): Promise<RoundStart> {
  const [row] = await store.db
    .select({
      last: max(rounds.attempt),
      // After a resume the attempts count anew; only the draws go on where they were, so that a stop changes no cohort.
      abandoned: sql<number>`count(*) filter (where ${rounds.state} = 'abandoned' and ${rounds.transcript} ->> 'abandoned' = 'quorum')`.mapWith(Number),
    })
    .from(rounds)
    .where(and(eq(rounds.runId, runId), eq(rounds.round, round)));
  return { round, firstAttempt: (row?.last ?? 0) + 1, abandoned: row?.abandoned ?? 0 };
}

/** Starts the workflow of a round. Its id names run, round and first attempt, so starting it twice starts it once. */
async function startRound(runId: string, start: RoundStart): Promise<void> {
  const workflowID = `${runId}/${start.round}${start.firstAttempt === 1 ? "" : `.${start.firstAttempt}`}`;
  await DBOS.startWorkflow(roundWorkflow, { workflowID })(runId, start);
}

/** A crash between the commit of a round and the start of the next leaves a run without a workflow: start it. */
async function takeUpRuns(context: EngineContext): Promise<void> {
  const { store } = context;
  const unfinished = await store.db.select({ id: runs.id, currentRound: runs.currentRound }).from(runs).where(ne(runs.state, "finished"));
  for (const { id, currentRound } of unfinished) {
    const pending = await DBOS.listWorkflows({ workflow_id_prefix: `${id}/`, status: "PENDING" });
    if (pending.length === 0) await startRound(id, await nextStart(context, id, currentRound + 1));
  }
}

/** The workflow of one round. Everything that can change is behind a durable step; spec and plan never change. */
async function roundOfRun(runId: string, start: RoundStart): Promise<string> {
  const context = current;
  if (context === undefined) throw new NexusError("INTERNAL", "A round was started in a process without a round engine.");
  try {
    const run = await retrying(() => hostedRun(context, runId), { signal: context.closing });
    const stop = await DBOS.runStep(() => retrying(() => stopRequested(context, runId), { signal: context.closing }), { name: "stop?" });
    if (stop) {
      await DBOS.runStep(() => finishRun(context, runId, "stopped", null), { name: "finish" });
      return "stopped";
    }
    const outcome = await runRound(durableHost(context, run), { ...run, ...start });
    switch (outcome.kind) {
      case "committed":
        if (start.round < run.plan.rounds) await startRound(runId, { round: start.round + 1, firstAttempt: 1, abandoned: 0 });
        break;
      case "stopped":
        await DBOS.runStep(() => finishRun(context, runId, "stopped", null), { name: "finish" });
        break;
      case "failed": {
        const error = new NexusError(
          "QUORUM_NOT_REACHED",
          `Round ${start.round} of ${runId} had no quorum of ${run.plan.cohort.quorum} in ${run.plan.cohort.attempts} attempts; these did not answer or were refused: ${outcome.missing.join(", ")}.`,
        );
        await DBOS.runStep(() => finishRun(context, runId, "failed", error), { name: "finish" });
        break;
      }
    }
    return outcome.kind;
  } catch (error) {
    if (context.closing.aborted) return new Promise(() => {});
    const failure = toNexusError(error);
    context.log("error", `Round ${start.round} of ${runId} failed: ${failure.message}`, { run: runId, code: failure.code });
    await DBOS.runStep(() => finishRun(context, runId, "failed", failure), { name: "finish" });
    return "failed";
  }
}

async function hostedRun({ store }: EngineContext, runId: string): Promise<HostedRun> {
  const [row] = await store.db.select({ spec: runs.spec, plan: runs.plan }).from(runs).where(eq(runs.id, runId));
  if (row === undefined) throw new NexusError("RUN_NOT_FOUND", `No run has the id ${runId}.`);
  const spec = row.spec as RunSpec;
  return { runId, spec, plan: row.plan as RunPlan, strategy: createStrategy(spec.strategy) };
}

async function stopRequested({ store }: EngineContext, runId: string): Promise<boolean> {
  const [row] = await store.db.select({ stop: runs.stopRequested }).from(runs).where(eq(runs.id, runId));
  return row?.stop === true;
}
