import type { RunEvent } from "@ciphernx/ai/federation";
import { listEvents, runKey } from "@ciphernx/ai/federation/coordinator";
import { compile, compileOrThrow, parseRunSpec } from "@ciphernx/ai/spec";
import { NexusError } from "@ciphernx/core/errors";
import { datasets, models, nodes, projects, retrying, rounds, runs, tasks } from "@ciphernx/core/store";
import type { ControlService, Run } from "@ciphernx/protocol/proto";
import { callerToken } from "@ciphernx/protocol/wire";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { and, asc, desc, eq, or } from "@ciphernx/core/store/sql";
import { knownBlob } from "./blob-endpoint.ts";
import type { CoordinatorContext } from "./context.ts";
import { compileFacts } from "./facts.ts";
import { approveNode, createJoinToken, removeNode } from "./nodes.ts";
import { sameSecret } from "./owner-token.ts";
import { datasetMessage, modelMessage, nodeMessage, roundMessage, runMessage } from "./presentation.ts";

/** Longest wait of one ListEvents. */
const MAX_WAIT_MS = 60_000;
const MAX_EVENTS = 1_000;

/** What the owner may say. Every call needs the owner token. */
export function controlService(context: CoordinatorContext): ServiceImpl<typeof ControlService> {
  const { store, engine, sessions, waiters, projectId, kernelBuild, log } = context;
  const { db } = store;

  /** Checks the owner token, then runs the call, waiting out a database that restarts. */
  const owned =
    <I, O>(action: (request: I, call: HandlerContext) => Promise<O>) =>
    async (request: I, call: HandlerContext): Promise<O> => {
      const token = callerToken(call);
      if (token === undefined || !sameSecret(token, context.ownerToken)) {
        throw new NexusError(
          "UNAUTHENTICATED",
          token === undefined ? "The call came without the owner token." : "That is not the owner token of this coordinator.",
        );
      }
      return retrying(() => action(request, call), { signal: call.signal });
    };

  async function runWithModel(runId: string): Promise<Run> {
    const [row] = await db.select({ run: runs, modelId: models.id }).from(runs).leftJoin(models, eq(models.runId, runs.id)).where(eq(runs.id, runId));
    if (row === undefined) throw new NexusError("RUN_NOT_FOUND", `No run has the id "${runId}".`, { details: { run: runId } });
    return runMessage(row.run, row.modelId);
  }

  async function stateOf(runId: string): Promise<string> {
    const [row] = await db.select({ state: runs.state }).from(runs).where(eq(runs.id, runId));
    if (row === undefined) throw new NexusError("RUN_NOT_FOUND", `No run has the id "${runId}".`, { details: { run: runId } });
    return row.state;
  }

  return {
    getStatus: owned(async () => ({
      version: context.version,
      kernelBuild,
      projectId,
      processId: process.pid,
      startedAt: context.startedAt.toISOString(),
    })),
    listProjects: owned(async () => ({ projects: (await db.select().from(projects)).map(({ id, name }) => ({ id, name })) })),

    createJoinToken: owned(async ({ expiresInSeconds, approved }) => {
      const { token, expiresAt } = await createJoinToken(store, projectId, { expiresInSeconds, approved });
      const { tls } = context;
      if (tls === undefined) return { token, expiresAt: expiresAt.toISOString() };
      return { token: `${token}.${tls.authority.fingerprint}`, expiresAt: expiresAt.toISOString(), publicUrl: tls.publicUrl() };
    }),
    listNodes: owned(async () => {
      const rows = await db.select().from(nodes).where(eq(nodes.projectId, projectId)).orderBy(asc(nodes.name), asc(nodes.joinedAt));
      return { nodes: rows.map((row) => nodeMessage(row, sessions.presence(row.id))) };
    }),
    approveNode: owned(async ({ node }) => {
      const row = await approveNode(store, projectId, node);
      log.info({ node: row.id, name: row.name }, `node ${row.name} approved`);
      return { node: nodeMessage(row, sessions.presence(row.id)) };
    }),
    removeNode: owned(async ({ node }) => {
      const row = await removeNode(store, projectId, node);
      sessions.end(row.id);
      context.hangUp(row.id);
      waiters.wakeAll();
      log.info({ node: row.id, name: row.name }, `node ${row.name} removed`);
      return { node: nodeMessage(row, sessions.presence(row.id)) };
    }),

    listDatasets: owned(async () => {
      const rows = await db
        .select({ dataset: datasets, node: nodes.name })
        .from(datasets)
        .innerJoin(nodes, eq(nodes.id, datasets.nodeId))
        .where(eq(datasets.projectId, projectId))
        .orderBy(asc(datasets.name), asc(nodes.name));
      return { datasets: rows.map(({ dataset, node }) => datasetMessage(dataset, node)) };
    }),
    getDataset: owned(async ({ dataset }) => {
      const [name = "", node = ""] = dataset.split("@");
      const [row] = await db
        .select({ dataset: datasets, node: nodes.name })
        .from(datasets)
        .innerJoin(nodes, eq(nodes.id, datasets.nodeId))
        .where(and(eq(datasets.projectId, projectId), or(eq(datasets.id, dataset), and(eq(datasets.name, name), eq(nodes.name, node)))));
      if (row === undefined)
        throw new NexusError("DATASET_NOT_FOUND", `No dataset has the id or the name@node "${dataset}".`, { details: { dataset } });
      return { dataset: datasetMessage(row.dataset, row.node) };
    }),

    planRun: owned(async (request) => {
      const spec = parseRunSpec(request.spec);
      const compiled = compile(spec, await compileFacts(store, projectId, spec.data.dataset, kernelBuild));
      if (compiled.ok) return { planJson: JSON.stringify(compiled.plan), refusals: [] };
      return {
        planJson: "",
        refusals: compiled.refusals.map(({ path, reason, remedy, edits }) => ({
          path,
          reason,
          remedy,
          editsJson: edits === undefined ? "" : JSON.stringify(edits),
        })),
      };
    }),
    startRun: owned(async ({ spec: text, idempotencyKey, initialModelHash }) => {
      const spec = parseRunSpec(text);
      const plan = compileOrThrow(spec, await compileFacts(store, projectId, spec.data.dataset, kernelBuild));
      const checkpoint = initialModelHash === "" ? spec.checkpoint : initialModelHash;
      const initialModel = checkpoint === undefined ? undefined : await knownBlob(context, checkpoint);
      const id = await engine.start({ projectId, spec, plan, idempotencyKey: idempotencyKey === "" ? undefined : idempotencyKey, initialModel });
      log.info({ run: id, name: spec.name, planHash: plan.planHash }, `run ${spec.name} started`);
      return { run: await runWithModel(id) };
    }),
    stopRun: owned(async ({ runId }) => {
      await engine.stop(runId);
      return { run: await runWithModel(runId) };
    }),
    resumeRun: owned(async ({ runId }) => {
      await engine.resume(runId);
      return { run: await runWithModel(runId) };
    }),
    listRuns: owned(async () => {
      const rows = await db
        .select({ run: runs, modelId: models.id })
        .from(runs)
        .leftJoin(models, eq(models.runId, runs.id))
        .where(eq(runs.projectId, projectId))
        .orderBy(desc(runs.createdAt));
      return { runs: rows.map(({ run, modelId }) => runMessage(run, modelId)) };
    }),
    getRun: owned(async ({ runId }) => {
      const run = await runWithModel(runId);
      const roundRows = await db.select().from(rounds).where(eq(rounds.runId, runId)).orderBy(asc(rounds.round), asc(rounds.attempt));
      const taskRows = await db.select().from(tasks).where(eq(tasks.runId, runId)).orderBy(asc(tasks.party));
      const byAttempt = Map.groupBy(taskRows, ({ round, attempt }) => `${round}/${attempt}`);
      return { run, rounds: roundRows.map((row) => roundMessage(row, byAttempt.get(`${row.round}/${row.attempt}`) ?? [])) };
    }),
    listEvents: owned(async ({ runId, after, limit, waitMs }, call) => {
      const most = Math.min(limit === 0 ? MAX_EVENTS : limit, MAX_EVENTS);
      const timeoutMs = Math.min(waitMs, MAX_WAIT_MS);
      const endsAt = performance.now() + timeoutMs;
      for (;;) {
        // Read before the events: a run that was over then has no more to tell, and nobody need wait for it.
        const state = await stateOf(runId);
        // The place in the queue is taken before the look, so that no wake between the two is lost. Not every wake brings an event.
        const woken = waiters.wait(runKey(runId), { timeoutMs: Math.max(0, endsAt - performance.now()), signal: call.signal });
        const found = await listEvents(db, runId, Number(after), most);
        if (found.length > 0 || state === "finished" || !(await woken)) return { events: found.map(eventMessage) };
      }
    }),

    listModels: owned(async () => {
      const rows = await db.select().from(models).where(eq(models.projectId, projectId)).orderBy(desc(models.createdAt));
      return { models: rows.map(modelMessage) };
    }),
    getModel: owned(async ({ model }) => {
      const [row] = await db
        .select()
        .from(models)
        .where(and(eq(models.projectId, projectId), or(eq(models.id, model), eq(models.runId, model))));
      if (row === undefined)
        throw new NexusError("MODEL_NOT_FOUND", `No model has the id "${model}", and no run of that id made one.`, { details: { model } });
      return { model: modelMessage(row) };
    }),
  };
}

function eventMessage({ number, at, type, payload }: RunEvent) {
  return { number: BigInt(number), at, type, payloadJson: JSON.stringify(payload) };
}
