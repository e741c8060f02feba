import { prepared, runs, type Store, tasks } from "@ciphernx/core/store";
import { and, asc, eq, inArray, sql } from "@ciphernx/core/store/sql";

/** A task on its way to a node, with what the node needs to answer it. */
export interface Delivery {
  readonly taskId: string;
  readonly runId: string;
  readonly round: number;
  readonly attempt: number;
  readonly kind: "fit" | "evaluate";
  readonly party: string;
  readonly spec: unknown;
  readonly specHash: string;
  readonly plan: unknown;
  readonly baseModelHash: string;
  readonly config: unknown;
  readonly deadlineAt: Date;
}

/**
 * The oldest open task of a node, marked as delivered. A task that was delivered before is delivered again: the node
 * asks only when it has nothing to do, so an unanswered one was lost with the process that held it.
 */
export async function deliverTask(store: Store, nodeId: string): Promise<Delivery | undefined> {
  const [row] = await delivery(store.db).execute({ node: nodeId });
  return row;
}

const delivery = prepared((db) => {
  const open = and(eq(tasks.nodeId, sql.placeholder("node")), inArray(tasks.state, ["waiting", "delivered"]));
  const oldest = db.select({ id: tasks.id }).from(tasks).where(open).orderBy(asc(tasks.createdAt), asc(tasks.id)).limit(1);
  return db
    .update(tasks)
    .set({ state: "delivered", deliveredAt: sql`coalesce(${tasks.deliveredAt}, now())` })
    .from(runs)
    .where(and(eq(tasks.id, sql`(${oldest})`), eq(runs.id, tasks.runId), open))
    .returning({
      taskId: tasks.id,
      runId: tasks.runId,
      round: tasks.round,
      attempt: tasks.attempt,
      kind: tasks.kind,
      party: tasks.party,
      baseModelHash: tasks.baseModelHash,
      config: tasks.config,
      deadlineAt: tasks.deadlineAt,
      spec: runs.spec,
      specHash: runs.specHash,
      plan: runs.plan,
    })
    .prepare("deliver-task");
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
