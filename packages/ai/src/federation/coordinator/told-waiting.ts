import { type NexusError, toNexusError } from "@ciphernx/core/errors";
import { redactSecrets } from "@ciphernx/core/identity/redact";
import { events, runs } from "@ciphernx/core/store";
import { desc, eq } from "@ciphernx/core/store/sql";
import { type EngineContext, runKey } from "./engine-context.ts";
import { appendEvents } from "./event-log.ts";
import { progress, reachedRound } from "./reached-round.ts";

/**
 * Tells a run's watchers what it waits for, once until something else happens in it.
 * @returns whether they know: the database may be what is waited for
 */
export async function toldWaiting(
  { store, waiters, log }: Pick<EngineContext, "store" | "waiters" | "log">,
  runId: string,
  error: NexusError,
): Promise<boolean> {
  try {
    await store.db.transaction(async (tx) => {
      const [run] = await tx
        .select({ ...progress, state: runs.state })
        .from(runs)
        .where(eq(runs.id, runId))
        .for("update");
      if (run === undefined || run.state === "finished") return;
      const [last] = await tx
        .select({ type: events.type, payload: events.payload })
        .from(events)
        .where(eq(events.runId, runId))
        .orderBy(desc(events.number))
        .limit(1);
      if (last?.type === "run-waiting" && (last.payload as { readonly code?: string }).code === error.code) return;
      const message = redactSecrets(error.message);
      await appendEvents(tx, runId, [{ type: "run-waiting", payload: { round: reachedRound(run), code: error.code, message } }]);
    });
  } catch (failure) {
    log("warn", `The watchers of ${runId} could not be told: ${toNexusError(failure).message}`, { run: runId });
    return false;
  }
  waiters.wake(runKey(runId));
  return true;
}
