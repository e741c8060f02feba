import type { RunEvent } from "@ciphernx/ai/federation";
import { listEvents, runKey } from "@ciphernx/ai/federation/coordinator";
import { compile, compileOrThrow, parseRunSpec } from "@ciphernx/ai/spec";
import { NexusError } from "@ciphernx/core/errors";
import { datasets, models, nodes, projects, retrying, rounds, runs, tasks } from "@ciphernx/core/store";
import type { ControlService, Run } from "@ciphernx/protocol/proto";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { and, asc, desc, eq, or } from "@ciphernx/core/store/sql";
import { createApiToken, listApiTokens, revokeApiToken } from "./api-tokens.ts";
import { knownBlob } from "./blob-endpoint.ts";
import type { CoordinatorContext } from "./context.ts";
import { compileFacts } from "./facts.ts";
import { approveNode, createJoinToken, removeNode } from "./nodes.ts";
import { memberService } from "./member-service.ts";
import { apiTokenMessage, datasetMessage, modelMessage, nodeMessage, roundMessage, runMessage } from "./presentation.ts";

/** Longest wait of one ListEvents. */
const MAX_WAIT_MS = 60_000;
const MAX_EVENTS = 1_000;

/** What people and programs may say. Who may call what is decided before: `guarded.ts`. */
export function controlService(context: CoordinatorContext): ServiceImpl<typeof ControlService> {
  const { store, engine, sessions, access, waiters, projectId, kernelBuild, log } = context;
  const { db } = store;

  /** Runs the call, waiting out a database that restarts. */
  const steady =
    <I, O>(action: (request: I, call: HandlerContext) => Promise<O>) =>
    async (request: I, call: HandlerContext): Promise<O> =>
      retrying(() => action(request, call), { signal: call.signal });

  /** A run of this project; another's is as good as none. */
  const isRun = (runId: string) => and(eq(runs.id, runId), eq(runs.projectId, projectId));

  async function runWithModel(runId: string): Promise<Run> {
    const [row] = await db.select({ run: runs, modelId: models.id }).from(runs).leftJoin(models, eq(models.runId, runs.id)).where(isRun(runId));
    if (row === undefined) throw new NexusError("RUN_NOT_FOUND", `No run has the id "${runId}".`, { details: { run: runId } });
    return runMessage(row.run, row.modelId);
  }

  async function stateOf(runId: string): Promise<string> {
    const [row] = await db.select({ state: runs.state }).from(runs).where(isRun(runId));
    if (row === undefined) throw new NexusError("RUN_NOT_FOUND", `No run has the id "${runId}".`, { details: { run: runId } });
    return row.state;
  }

  return {
    getStatus: steady(async () => ({
      version: context.version,
      kernelBuild,
      projectId,
      processId: process.pid,
      startedAt: context.startedAt.toISOString(),
    })),
    listProjects: steady(async () => ({ projects: (await db.select().from(projects)).map(({ id, name }) => ({ id, name })) })),

    createJoinToken: steady(async ({ expiresInSeconds, approved }) => {
      const { token, expiresAt } = await createJoinToken(store, projectId, { expiresInSeconds, approved });
      const { tls } = context;
      if (tls === undefined) return { token, expiresAt: expiresAt.toISOString() };
      return { token: `${token}.${tls.authority.fingerprint}`, expiresAt: expiresAt.toISOString(), publicUrl: tls.publicUrl() };
    }),
    listNodes: steady(async () => {
      const rows = await db.select().from(nodes).where(eq(nodes.projectId, projectId)).orderBy(asc(nodes.name), asc(nodes.joinedAt));
      return { nodes: rows.map((row) => nodeMessage(row, sessions.presence(row.id))) };
    }),
    approveNode: steady(async ({ node }) => {
      const row = await approveNode(store, projectId, node);
      log.info({ node: row.id, name: row.name }, `node ${row.name} approved`);
      return { node: nodeMessage(row, sessions.presence(row.id)) };
    }),
    removeNode: steady(async ({ node }) => {
      const row = await removeNode(store, projectId, node);
      sessions.end(row.id);
      context.hangUp(row.id);
      waiters.wakeAll();
      log.info({ node: row.id, name: row.name }, `node ${row.name} removed`);
      return { node: nodeMessage(row, sessions.presence(row.id)) };
    }),

    listDatasets: steady(async () => {
      const rows = await db
        .select({ dataset: datasets, node: nodes.name })
        .from(datasets)
        .innerJoin(nodes, eq(nodes.id, datasets.nodeId))
        .where(eq(datasets.projectId, projectId))
        .orderBy(asc(datasets.name), asc(nodes.name));
      return { datasets: rows.map(({ dataset, node }) => datasetMessage(dataset, node)) };
    }),
    getDataset: steady(async ({ dataset }) => {
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

    planRun: steady(async (request) => {
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
    startRun: steady(async ({ spec: text, idempotencyKey, initialModelHash }) => {
      const spec = parseRunSpec(text);
      const plan = compileOrThrow(spec, await compileFacts(store, projectId, spec.data.dataset, kernelBuild));
      const checkpoint = initialModelHash === "" ? spec.checkpoint : initialModelHash;
      const initialModel = checkpoint === undefined ? undefined : await knownBlob(context, checkpoint);
      const id = await engine.start({ projectId, spec, plan, idempotencyKey: idempotencyKey === "" ? undefined : idempotencyKey, initialModel });
      log.info({ run: id, name: spec.name, planHash: plan.planHash }, `run ${spec.name} started`);
      return { run: await runWithModel(id) };
    }),
    stopRun: steady(async ({ runId }) => {
      await stateOf(runId);
      await engine.stop(runId);
      return { run: await runWithModel(runId) };
    }),
    resumeRun: steady(async ({ runId }) => {
      await stateOf(runId);
      await engine.resume(runId);
      return { run: await runWithModel(runId) };
    }),
    listRuns: steady(async () => {
      const rows = await db
        .select({ run: runs, modelId: models.id })
        .from(runs)
        .leftJoin(models, eq(models.runId, runs.id))
        .where(eq(runs.projectId, projectId))
        .orderBy(desc(runs.createdAt));
      return { runs: rows.map(({ run, modelId }) => runMessage(run, modelId)) };
    }),
    getRun: steady(async ({ runId }) => {
      const run = await runWithModel(runId);
      const roundRows = await db.select().from(rounds).where(eq(rounds.runId, runId)).orderBy(asc(rounds.round), asc(rounds.attempt));
      const taskRows = await db.select().from(tasks).where(eq(tasks.runId, runId)).orderBy(asc(tasks.party));
      const byAttempt = Map.groupBy(taskRows, ({ round, attempt }) => `${round}/${attempt}`);
      return { run, rounds: roundRows.map((row) => roundMessage(row, byAttempt.get(`${row.round}/${row.attempt}`) ?? [])) };
    }),
    listEvents: steady(async ({ runId, after, limit, waitMs }, call) => {
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

    listModels: steady(async () => {
      const rows = await db.select().from(models).where(eq(models.projectId, projectId)).orderBy(desc(models.createdAt));
      return { models: rows.map(modelMessage) };
    }),
    getModel: steady(async ({ model }) => {
      const [row] = await db
        .select()
        .from(models)
        .where(and(eq(models.projectId, projectId), or(eq(models.id, model), eq(models.runId, model))));
      if (row === undefined)
        throw new NexusError("MODEL_NOT_FOUND", `No model has the id "${model}", and no run of that id made one.`, { details: { model } });
      return { model: modelMessage(row) };
    }),

    createApiToken: steady(async (request) => {
      const { row, secret } = await createApiToken(store, projectId, request);
      log.info({ token: row.id, name: row.name, role: row.role, expiresAt: row.expiresAt }, `API token ${row.name} made`);
      return { token: apiTokenMessage(row), secret };
    }),
    listApiTokens: steady(async () => ({ tokens: (await listApiTokens(store, projectId)).map(apiTokenMessage) })),
    revokeApiToken: steady(async ({ token }) => {
      const row = await revokeApiToken(store, projectId, token);
      access.endCalls(row.tokenHash, new NexusError("UNAUTHENTICATED", `The API token "${row.name}" was revoked.`));
      log.info({ token: row.id, name: row.name }, `API token ${row.name} revoked`);
      return { token: apiTokenMessage(row) };
    }),

    ...memberService(context),
  };
}

function eventMessage({ number, at, type, payload }: RunEvent) {
  return { number: BigInt(number), at, type, payloadJson: JSON.stringify(payload) };
}
