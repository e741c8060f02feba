import type { StagedBlob } from "@ciphernx/core/blobs";
import { type ErrorCode, isErrorCode, NexusError } from "@ciphernx/core/errors";
import { redactSecrets } from "@ciphernx/core/identity/redact";
import { blobs, nodes, prepared, retrying, rounds, type Store, tasks } from "@ciphernx/core/store";
import { and, eq, inArray, sql } from "@ciphernx/core/store/sql";
import type { RunPlan } from "../../spec/index.ts";
import type { AggregationKernel } from "../../aggregation/index.ts";
import type { PhaseKind } from "../round/run-round.ts";
import { downloadBytes } from "../round/upload-layout.ts";
import { checkUpdateFile } from "./check-update.ts";
import { appendEvents } from "./event-log.ts";
import type { RunDocumentCache } from "./run-documents.ts";

const MAX_REASON_CHARACTERS = 2_000;

/** What the blob of an answer is called among the others. */
const BLOB_KINDS: Readonly<Record<PhaseKind, string>> = { statistics: "statistics", fit: "update", evaluate: "evaluation" };

/** A duration as its column holds it: 31 bits, which is more than three weeks. */
function storedMs(durationMs: number): number {
  return Math.min(durationMs, 2 ** 31 - 1);
}

/** A node's answer as it came over the wire, its signature already checked against the node's key. */
export interface Report {
  readonly taskId: string;
  readonly runId: string;
  readonly round: number;
  readonly attempt: number;
  readonly specHash: string;
  readonly planHash: string;
  readonly baseModelHash: string;
  /** Empty when the task failed. */
  readonly blobHash: string;
  readonly weight: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly signature: Uint8Array;
  readonly failure?: { readonly code: string; readonly message: string };
  readonly durationMs: number;
}

/** An open task with what its report is checked against. */
export interface OpenTask {
  readonly id: string;
  readonly runId: string;
  readonly round: number;
  readonly attempt: number;
  readonly kind: PhaseKind;
  readonly party: string;
  readonly state: string;
  readonly nodeId: string;
  readonly baseModelHash: string;
  readonly specHash: string;
  readonly plan: RunPlan;
  readonly deadlineAt: Date;
}

/**
 * The task a node says it answers.
 * @throws NexusError FORBIDDEN when there is no such task of that node, TASK_CLOSED when it was answered or its round is over
 */
export async function openTask(store: Store, documents: RunDocumentCache, nodeId: string, taskId: string): Promise<OpenTask> {
  const [row] = await taskOfNode(store.db).execute({ task: taskId, node: nodeId });
  if (row === undefined) throw new NexusError("FORBIDDEN", `The node ${nodeId} was given no task ${taskId}.`, { details: { task: taskId } });
  if (row.state !== "waiting" && row.state !== "delivered") {
    throw new NexusError(
      "TASK_CLOSED",
      `The task ${taskId} of ${row.party} in round ${row.round} is ${row.state} already; this report changes nothing.`,
      {
        details: { task: taskId, state: row.state },
      },
    );
  }
  const { specHash, plan } = await documents.of(row.runId);
  return { ...row, specHash, plan };
}

const taskOfNode = prepared((db) =>
  db
    .select({
      id: tasks.id,
      runId: tasks.runId,
      round: tasks.round,
      attempt: tasks.attempt,
      kind: tasks.kind,
      party: tasks.party,
      state: tasks.state,
      nodeId: tasks.nodeId,
      baseModelHash: tasks.baseModelHash,
      deadlineAt: tasks.deadlineAt,
    })
    .from(tasks)
    .where(and(eq(tasks.id, sql.placeholder("task")), eq(tasks.nodeId, sql.placeholder("node"))))
    .prepare("task-of-node"),
);

/**
 * Takes an answer in: checks it against its task, checks the staged update, makes both durable. When this resolves, the
 * answer is acknowledged: the blob is renamed and synced and its row committed.
 * A rejected update closes its task with the reason, so that the round need not wait for it.
 *
 * @returns whether the answer counts, or told of a failure
 * @param staged the uploaded bytes, finished and of the hash the report names; undefined when the report is of a failure
 */
export async function acknowledge(
  store: Store,
  kernel: AggregationKernel,
  task: OpenTask,
  report: Report,
  staged: StagedBlob | undefined,
): Promise<"accepted" | "failed"> {
  const { signature, durationMs } = report;
  const refuse = (state: Refused["state"], code: ErrorCode, message: string) =>
    refuseTask(store, task, { state, code, message, signature, durationMs });
  const foreign = contradictsTask(task, report);
  if (foreign !== undefined) {
    await refuse("rejected", foreign.code, foreign.message);
    throw foreign;
  }
  if (report.failure !== undefined) {
    const code = isErrorCode(report.failure.code) ? report.failure.code : "TRAINER_FAILED";
    await refuse("failed", code, report.failure.message);
    return "failed";
  }
  if (staged === undefined) {
    throw new NexusError("BLOB_NOT_FOUND", `The upload ${report.blobHash} that the report of task ${task.id} names is not here.`, {
      details: { task: task.id },
    });
  }
  const { sizeBytes } = await staged.finish();
  try {
    await checkUpdateFile(kernel, staged, sizeBytes, task, report);
  } catch (error) {
    if (error instanceof NexusError && error.code === "UPDATE_REJECTED") await refuse("rejected", error.code, error.message);
    throw error;
  }
  const { hash } = await staged.commit();
  const accepted = await retrying(() => accept(store, task, report, { hash, sizeBytes }));
  if (!accepted)
    throw new NexusError("TASK_CLOSED", `The round of task ${task.id} closed while its update was on the way.`, { details: { task: task.id } });
  return "accepted";
}

/** Commits an answer. Done twice, because the connection was lost before the database's answer, it says the same. */
async function accept(
  store: Store,
  task: OpenTask,
  report: Report,
  { hash, sizeBytes }: { readonly hash: string; readonly sizeBytes: number },
): Promise<boolean> {
  const { db } = store;
  const changed = await acceptance(db).execute({
    ...{ task: task.id, node: task.nodeId, run: task.runId, round: task.round, attempt: task.attempt },
    ...{ hash, sizeBytes, kind: BLOB_KINDS[task.kind], bytesDown: downloadBytes(task.plan, task.kind, task.round) },
    ...{ weight: report.weight, metrics: report.metrics, signature: report.signature, durationMs: storedMs(report.durationMs) },
  });
  if (changed.length > 0) return true;
  const [row] = await db.select({ state: tasks.state, signature: tasks.signature }).from(tasks).where(eq(tasks.id, task.id));
  return row?.state === "accepted" && row.signature !== null && Buffer.compare(row.signature, report.signature) === 0;
}

/** Everything that an accepted answer changes, in one statement, since every report is one. */
const acceptance = prepared((db) => {
  const given = sql.placeholder;
  const blob = { hash: given("hash"), sizeBytes: given("sizeBytes"), kind: given("kind") };
  const kept = db.$with("kept").as(db.insert(blobs).values(blob).onConflictDoNothing().returning({ hash: blobs.hash }));
  const alive = db
    .update(nodes)
    .set({ lastSeenAt: sql`now()` })
    .where(eq(nodes.id, given("node")));
  const seen = db.$with("seen").as(alive.returning({ id: nodes.id }));
  // The row lock orders this against the closing of the round: after it, no answer slips in.
  const attempt = and(eq(rounds.runId, given("run")), eq(rounds.round, given("round")), eq(rounds.attempt, given("attempt")));
  const held = db.$with("held").as(db.select({ round: rounds.round }).from(rounds).where(attempt).for("share"));
  return db
    .with(kept, seen, held)
    .update(tasks)
    .set({
      state: "accepted",
      blobHash: sql`${given("hash")}`,
      blobSizeBytes: sql`${given("sizeBytes")}::bigint`,
      bytesUp: sql`${given("sizeBytes")}::bigint`,
      bytesDown: sql`${given("bytesDown")}::bigint`,
      weight: sql`${given("weight")}::bigint`,
      metrics: sql`${sql.param(given("metrics"), tasks.metrics)}`,
      signature: sql`${sql.param(given("signature"), tasks.signature)}`,
      durationMs: sql`${given("durationMs")}::int`,
      reportedAt: sql`now()`,
    })
    .from(held)
    .where(and(eq(tasks.id, given("task")), inArray(tasks.state, ["waiting", "delivered"])))
    .returning({ id: tasks.id })
    .prepare("accept-answer");
});

/** What in a report is not of its task. */
function contradictsTask(task: OpenTask, report: Report): NexusError | undefined {
  const pairs: readonly (readonly [string, string | number, string | number])[] = [
    ["run", report.runId, task.runId],
    ["round", report.round, task.round],
    ["attempt", report.attempt, task.attempt],
    ["spec hash", report.specHash, task.specHash],
    ["plan hash", report.planHash, task.plan.planHash],
    ["base model", report.baseModelHash, task.baseModelHash],
  ];
  for (const [what, said, meant] of pairs) {
    if (said !== meant) {
      return new NexusError("UPDATE_REJECTED", `The report of task ${task.id} names the ${what} ${said}; the task is for ${meant}.`, {
        details: { task: task.id },
      });
    }
  }
  return undefined;
}

/** Why a task ends without an accepted answer. */
export interface Refused {
  /** rejected: the answer is wrong; failed: there is none. */
  readonly state: "failed" | "rejected";
  readonly code: ErrorCode;
  readonly message: string;
  readonly signature?: Uint8Array;
  readonly durationMs?: number;
}

/** Closes a task with its reason, for the run's watchers too. A task that is closed already stays as it is. */
export async function refuseTask(
  store: Store,
  task: Pick<OpenTask, "id" | "runId" | "round" | "attempt" | "kind" | "party">,
  { state, code, message: words, signature, durationMs = 0 }: Refused,
): Promise<void> {
  // PostgreSQL's text holds no NUL.
  const message = redactSecrets(words).slice(0, MAX_REASON_CHARACTERS).replaceAll("\0", "\u{FFFD}");
  await retrying(() =>
    store.db.transaction(async (tx) => {
      const changed = await tx
        .update(tasks)
        .set({ state, reasonCode: code, reason: message, signature: signature ?? null, durationMs: storedMs(durationMs), reportedAt: new Date() })
        .where(and(eq(tasks.id, task.id), inArray(tasks.state, ["waiting", "delivered"])))
        .returning({ id: tasks.id });
      if (changed.length === 0) return;
      const { round, attempt, kind, party } = task;
      await appendEvents(tx, task.runId, [{ type: "answer-refused", payload: { round, attempt, kind, party, code, message } }]);
    }),
  );
}
