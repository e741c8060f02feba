import type { RunEvent } from "@ciphernx/ai/federation";
import { listEvents, runKey, sumRecords } from "@ciphernx/ai/federation/coordinator";
import { compile, type CompileFacts, compileOrThrow, parseRunSpec, type RunPlan, type RunSpec, runSpecHash } from "@ciphernx/ai/spec";
import { NexusError } from "@ciphernx/core/errors";
import { datasets, models, nodes, projects, retrying, rounds, runs, sumSteps, tasks, type Transaction } from "@ciphernx/core/store";
import type { ControlService, Run } from "@ciphernx/protocol/proto";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { and, asc, desc, eq, or } from "@ciphernx/core/store/sql";
import { createApiToken, listApiTokens, revokeApiToken } from "./api-tokens.ts";
import { knownBlob } from "./blob-endpoint.ts";
import type { CoordinatorContext } from "./context.ts";
import { checkStart } from "./check-start.ts";
import { compileFacts } from "./facts.ts";
import type { AuditLog, AuditNote } from "./audit/audit-log.ts";
import { callerActor } from "./guarded.ts";
import { approveNode, createJoinToken, type Deciding, removeNode } from "./nodes.ts";
import { appendEntry } from "./roster-service.ts";
import { memberService } from "./member-service.ts";
import { apiTokenMessage, datasetMessage, modelMessage, nodeMessage, roundMessage, runMessage } from "./presentation.ts";

/** Longest wait of one ListEvents. */
const MAX_WAIT_MS = 60_000;
const MAX_EVENTS = 1_000;

/** Keeps that a run was refused, and why. */
async function unlessRefused<T>(audit: AuditLog, who: Pick<AuditNote, "actor" | "subject">, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof NexusError) await audit.note({ ...who, action: "run-refused", details: { code: error.code } });
    throw error;
  }
}

/** Where organisations have begun a roster, they say which nodes are theirs. @throws NexusError ROSTER_INVALID */
async function assertNoRoster({ roster }: CoordinatorContext, node: string): Promise<void> {
  if ((await roster.read()) === undefined) return;
  throw new NexusError("NOT_ON_ROSTER", `The project has a roster: only the organisation whose node "${node}" is can approve it.`, {
    hint: `\`nexus node approve ${node} --org FOLDER\`, with the folder of that organisation's key.`,
  });
}

/** What people and programs may say. Who may call what is decided before: `guarded.ts`. */
export function controlService(context: CoordinatorContext): ServiceImpl<typeof ControlService> {
  const { store, engine, sessions, access, audit, waiters, projectId, kernelBuild, log } = context;
  const deciding = (call: HandlerContext): Deciding => ({ projectId, actor: callerActor(call) });
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

  const factsFor = async (spec: RunSpec): Promise<CompileFacts> =>
    compileFacts(store, { projectId, dataset: spec.data.dataset, kernelBuild, roster: await context.roster.read() });

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
    approveNode: steady(async ({ node }, call) => {
      await assertNoRoster(context, node);
      const row = await approveNode(context, deciding(call), node);
      log.info({ node: row.id, name: row.name }, `node ${row.name} approved`);
      return { node: nodeMessage(row, sessions.presence(row.id)) };
    }),
    removeNode: steady(async ({ node }, call) => {
      const row = await removeNode(context, deciding(call), node);
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
      const compiled = compile(spec, await factsFor(spec));
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
    startRun: steady(async ({ spec: text, idempotencyKey, initialModelHash, signature }, call) => {
      const spec = parseRunSpec(text);
      const { actor } = deciding(call);
      const plan = await unlessRefused(audit, { actor, subject: runSpecHash(spec) }, async () => compileOrThrow(spec, await factsFor(spec)));
      const startedBy = await unlessRefused(audit, { actor, subject: plan.specHash }, () =>
        checkStart(context, plan, { idempotencyKey, initialModelHash, signature }),
      );
      const by = startedBy === undefined ? actor : `organisation ${startedBy.organisation}`;
      const recorded = (tx: Transaction, run: string) =>
        audit.record(tx, {
          ...{ actor: by, action: "run-started", subject: run },
          details: { name: spec.name, specHash: plan.specHash, planHash: plan.planHash, sentBy: actor },
        });
      const checkpoint = initialModelHash === "" ? spec.checkpoint : initialModelHash;
      const initialModel = checkpoint === undefined ? undefined : await knownBlob(context, checkpoint);
      const id = await engine.start({
        projectId,
        spec,
        plan,
        idempotencyKey: idempotencyKey === "" ? undefined : idempotencyKey,
        initialModel,
        startedBy,
        recorded,
      });
      log.info({ run: id, name: spec.name, planHash: plan.planHash }, `run ${spec.name} started`);
      return { run: await runWithModel(id) };
    }),
    stopRun: steady(async ({ runId }, call) => {
      await stateOf(runId);
      await engine.stop(runId);
      await audit.note({ actor: callerActor(call), action: "run-stopped", subject: runId });
      return { run: await runWithModel(runId) };
    }),
    resumeRun: steady(async ({ runId }, call) => {
      await stateOf(runId);
      await engine.resume(runId);
      await audit.note({ actor: callerActor(call), action: "run-resumed", subject: runId });
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
      const stepRows = await db.select().from(sumSteps).where(eq(sumSteps.runId, runId));
      const attemptOf = ({ round, attempt }: { readonly round: number; readonly attempt: number }) => `${round}/${attempt}`;
      const byAttempt = Map.groupBy(taskRows, attemptOf);
      const sums = Map.groupBy(sumRecords(stepRows, JSON.parse(run.planJson) as RunPlan), attemptOf);
      return { run, rounds: roundRows.map((row) => roundMessage(row, byAttempt.get(attemptOf(row)) ?? [], sums.get(attemptOf(row)) ?? [])) };
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

    listAuditEvents: steady(async ({ after, limit, action, actor, since }) => {
      const from = since === "" ? undefined : new Date(since);
      if (from !== undefined && Number.isNaN(from.getTime()))
        throw new NexusError("USAGE", `"${since}" is no point in time.`, { hint: "Write it as 2027-01-31T00:00:00Z." });
      const found = await audit.events({
        ...{ after: Number(after), limit: Math.min(limit === 0 ? MAX_EVENTS : limit, MAX_EVENTS), since: from },
        ...{ action: action === "" ? undefined : action, actor: actor === "" ? undefined : actor },
      });
      return { events: found.map((event) => JSON.stringify(event)) };
    }),

    getRoster: steady(async ({ after }) => ({ entries: await context.roster.entriesAfter(after) })),
    async foundRoster({ entry }) {
      await appendEntry(context, entry, { founds: true });
      return {};
    },

    createApiToken: steady(async (request, call) => {
      const { row, secret } = await createApiToken(context, deciding(call), request);
      log.info({ token: row.id, name: row.name, role: row.role, expiresAt: row.expiresAt }, `API token ${row.name} made`);
      return { token: apiTokenMessage(row), secret };
    }),
    listApiTokens: steady(async () => ({ tokens: (await listApiTokens(store, projectId)).map(apiTokenMessage) })),
    revokeApiToken: steady(async ({ token }, call) => {
      const row = await revokeApiToken(context, deciding(call), token);
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
