import { toldWaiting } from "@ciphernx/ai/federation/coordinator";
import { databaseError, tasks } from "@ciphernx/core/store";
import { eq } from "@ciphernx/core/store/sql";
import type { CoordinatorContext } from "./context.ts";

/** Tells a run's watchers when an answer to one of its tasks finds no space on the disk; its node sends it again. */
export async function tellFullDisk(
  { store, waiters, log }: Pick<CoordinatorContext, "store" | "waiters" | "log">,
  taskId: string,
  error: unknown,
): Promise<void> {
  const known = databaseError(error);
  if (known.code !== "DISK_FULL") return;
  try {
    const [task] = await store.db.select({ runId: tasks.runId }).from(tasks).where(eq(tasks.id, taskId));
    if (task !== undefined)
      await toldWaiting({ store, waiters, log: (level, message, details) => log[level](details ?? {}, message) }, task.runId, known);
  } catch (failure) {
    log.warn({ err: failure, task: taskId }, "The disk is full, and the watchers of the run could not be told.");
  }
}
