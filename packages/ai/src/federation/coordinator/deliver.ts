import { prepared, retrying, type Store, tasks } from "@ciphernx/core/store";
import { and, asc, eq, inArray, or, sql } from "@ciphernx/core/store/sql";
import type { PhaseKind } from "../round/run-round.ts";
import type { RunDocumentCache, RunDocuments } from "./run-documents.ts";

/** A task on its way to a node, with what the node needs to answer it. */
export interface Delivery extends RunDocuments {
  readonly taskId: string;
  readonly runId: string;
  readonly round: number;
  readonly attempt: number;
  readonly kind: PhaseKind;
  readonly party: string;
  readonly baseModelHash: string;
  readonly config: unknown;
  readonly deadlineAt: Date;
}

/** Where nodes fetch their tasks. */
export interface Deliveries {
  /**
   * The oldest open task of a node; that it was delivered is marked soon after. A task that was delivered before is delivered again: the
   * node asks only when it has nothing to do, so an unanswered one was lost with the process that held it.
   */
  next(nodeId: string): Promise<Delivery | undefined>;
}

/** Nodes of one statement. The answers of thousands at once would be in memory before the first of them has left. */
const BATCH = 128;
/** Statements at a time: while one is at the database, the answers of the other are sent. */
const COLLECTORS = 2;
/** Marks of one statement: the answers that come meanwhile wait for its rows. */
const MARKS = 512;

/** Nodes that ask at the same time, as those that a round wakes do, share statements. */
export function createDeliveries(store: Store, documents: RunDocumentCache): Deliveries {
  const asking = new Map<string, PromiseWithResolvers<DeliveredTask | undefined>>();
  let collectors = 0;
  /**
   * When the tasks were handed out that are not marked yet. No node waits for its mark: when a crash loses it, the task goes out again, as it
   * has to.
   */
  const handedOut = new Map<string, Date>();
  let isMarking = false;

  /** Serves whoever asks until nobody does. */
  async function collect(): Promise<void> {
    collectors += 1;
    // Those that are woken together ask together.
    await new Promise((resolve) => setImmediate(resolve));
    while (asking.size > 0) await serve(new Map(asking.entries().take(BATCH)));
    collectors -= 1;
    if (collectors === 0 && !isMarking) void mark();
  }

  async function mark(): Promise<void> {
    isMarking = true;
    while (handedOut.size > 0) {
      const marks = new Map(handedOut.entries().take(MARKS));
      for (const taskId of marks.keys()) handedOut.delete(taskId);
      // People alone look at the marks: a lost one is not worth a run.
      await retrying(() => markDelivered(store.db).execute({ tasks: [...marks.keys()], at: [...marks.values()] })).catch(() => {});
    }
    isMarking = false;
  }

  async function serve(batch: typeof asking): Promise<void> {
    for (const nodeId of batch.keys()) asking.delete(nodeId);
    try {
      const rows = await oldestTasks(store.db).execute({ nodes: [...batch.keys()] });
      const now = new Date();
      for (const row of rows) {
        handedOut.set(row.taskId, now);
        batch.get(row.nodeId)?.resolve(row);
      }
      for (const { resolve } of batch.values()) resolve(undefined);
    } catch (error) {
      for (const { reject } of batch.values()) reject(error);
    }
  }

  return {
    async next(nodeId) {
      const place = asking.get(nodeId) ?? Promise.withResolvers<DeliveredTask | undefined>();
      asking.set(nodeId, place);
      if (collectors < COLLECTORS) void collect();
      const task = await place.promise;
      if (task === undefined) return undefined;
      const known = await documents.of(task.runId);
      // Read before the statistics were added, and asked for right after: the next reading knows.
      const isStale = task.kind !== "statistics" && known.plan.preprocess !== undefined && known.preprocessingJson === null;
      return { ...task, ...(isStale ? await documents.of(task.runId) : known) };
    },
  };
}

type DeliveredTask = Awaited<ReturnType<ReturnType<typeof oldestTasks>["execute"]>>[number];

const isOpen = inArray(tasks.state, ["waiting", "delivered"]);
/** A task whose vector is in a sum that its party helps to unmask. */
const isBeingUnmasked = sql`${tasks.state} = 'accepted'
  and exists (select from sum_steps s where s.step = 'keys'
    and (s.run_id, s.round, s.attempt, s.kind) = (${tasks.runId}, ${tasks.round}, ${tasks.attempt}, ${tasks.kind}))
  and not exists (select from sum_steps s where s.step = 'unmask'
    and (s.run_id, s.round, s.attempt, s.kind) = (${tasks.runId}, ${tasks.round}, ${tasks.attempt}, ${tasks.kind}))
  and exists (select from rounds r where r.state not in ('abandoned', 'committed')
    and (r.run_id, r.round, r.attempt) = (${tasks.runId}, ${tasks.round}, ${tasks.attempt}))`;
/** For one transaction alone: it need not wait for the disk. */
const UNSYNCED = sql`set_config('synchronous_commit', 'off', true) is not null`;

const oldestTasks = prepared((db) =>
  db
    .selectDistinctOn([tasks.nodeId], {
      taskId: tasks.id,
      runId: tasks.runId,
      round: tasks.round,
      attempt: tasks.attempt,
      kind: tasks.kind,
      nodeId: tasks.nodeId,
      party: tasks.party,
      baseModelHash: tasks.baseModelHash,
      config: tasks.config,
      deadlineAt: tasks.deadlineAt,
    })
    .from(tasks)
    .where(and(sql`${tasks.nodeId} = any(${sql.placeholder("nodes")}::text[])`, isOpen))
    .orderBy(tasks.nodeId, asc(tasks.createdAt), asc(tasks.id))
    .prepare("oldest-tasks"),
);

/** Of a task that was answered meanwhile, only when it went out. */
const markDelivered = prepared((db) =>
  db
    .update(tasks)
    .set({
      state: sql`case ${tasks.state} when 'waiting' then 'delivered' else ${tasks.state} end`,
      deliveredAt: sql`coalesce(${tasks.deliveredAt}, handed_out.at)`,
    })
    .from(sql`unnest(${sql.placeholder("tasks")}::text[], ${sql.placeholder("at")}::timestamptz[]) as handed_out (task, at)`)
    .where(sql`${tasks.id} = handed_out.task and ${UNSYNCED}`)
    .prepare("mark-delivered"),
);

/** Which of these tasks are no longer wanted: answered, expired, or of another node. A node whose masked vector arrived is still wanted in its sum. */
export async function cancelledTasks(store: Store, nodeId: string, taskIds: readonly string[]): Promise<readonly string[]> {
  if (taskIds.length === 0) return [];
  const open = await store.db
    .select({ id: tasks.id })
    .from(tasks)
    .where(and(inArray(tasks.id, [...taskIds]), eq(tasks.nodeId, nodeId), or(isOpen, isBeingUnmasked)));
  const wanted = new Set(open.map(({ id }) => id));
  return taskIds.filter((id) => !wanted.has(id));
}
