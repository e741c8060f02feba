import { prepared, type Store, tasks } from "@ciphernx/core/store";
import { and, asc, eq, inArray, sql } from "@ciphernx/core/store/sql";
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
   * The oldest open task of a node, marked as delivered. A task that was delivered before is delivered again: the node
   * asks only when it has nothing to do, so an unanswered one was lost with the process that held it.
   */
  next(nodeId: string): Promise<Delivery | undefined>;
}

/** Nodes that ask at the same time, as those that a round wakes do, are served by one statement. */
export function createDeliveries(store: Store, documents: RunDocumentCache): Deliveries {
  let batch: { readonly nodeIds: Set<string>; readonly found: Promise<ReadonlyMap<string, DeliveredTask>> } | undefined;

  async function collect(nodeIds: ReadonlySet<string>): Promise<ReadonlyMap<string, DeliveredTask>> {
    await new Promise((resolve) => setImmediate(resolve));
    batch = undefined;
    const rows = await oldestTasks(store.db).execute({ nodes: [...nodeIds] });
    return new Map(rows.map((row) => [row.nodeId, row]));
  }

  return {
    async next(nodeId) {
      if (batch === undefined) {
        const nodeIds = new Set<string>();
        batch = { nodeIds, found: collect(nodeIds) };
      }
      batch.nodeIds.add(nodeId);
      const task = (await batch.found).get(nodeId);
      if (task === undefined) return undefined;
      const known = await documents.of(task.runId);
      // Read before the statistics were added, and asked for right after: the next reading knows.
      const isStale = task.kind !== "statistics" && known.plan.preprocess !== undefined && known.preprocessingJson === null;
      return { ...task, ...(isStale ? await documents.of(task.runId) : known) };
    },
  };
}

type DeliveredTask = Awaited<ReturnType<ReturnType<typeof oldestTasks>["execute"]>>[number];

const oldestTasks = prepared((db) => {
  const open = inArray(tasks.state, ["waiting", "delivered"]);
  const oldest = db
    .selectDistinctOn([tasks.nodeId], { id: tasks.id })
    .from(tasks)
    .where(and(sql`${tasks.nodeId} = any(${sql.placeholder("nodes")}::text[])`, open))
    .orderBy(tasks.nodeId, asc(tasks.createdAt), asc(tasks.id))
    .as("oldest");
  // For this transaction alone. The nodes need not wait for the disk: when a crash loses the mark, the task goes out again, as it has to.
  const unsynced = sql`set_config('synchronous_commit', 'off', true) is not null`;
  return db
    .update(tasks)
    .set({ state: "delivered", deliveredAt: sql`coalesce(${tasks.deliveredAt}, now())` })
    .from(oldest)
    .where(and(eq(tasks.id, oldest.id), open, unsynced))
    .returning({
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
    .prepare("oldest-tasks");
});

/** Which of these tasks are no longer wanted: answered, expired, or of another node. */
export async function cancelledTasks(store: Store, nodeId: string, taskIds: readonly string[]): Promise<readonly string[]> {
  if (taskIds.length === 0) return [];
  const open = await store.db
    .select({ id: tasks.id })
    .from(tasks)
    .where(and(inArray(tasks.id, [...taskIds]), eq(tasks.nodeId, nodeId), inArray(tasks.state, ["waiting", "delivered"])));
  const wanted = new Set(open.map(({ id }) => id));
  return taskIds.filter((id) => !wanted.has(id));
}
