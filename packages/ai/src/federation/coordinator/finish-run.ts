import type { NexusError } from "@ciphernx/core/errors";
import { retrying, runs } from "@ciphernx/core/store";
import { and, eq, ne } from "drizzle-orm";
import { type EngineContext, runKey } from "./durable-host.ts";
import { appendEvents } from "./event-log.ts";

/** Ends a run that has no result; the model of its last committed round stays. Does nothing when the run has ended. */
export async function finishRun(context: EngineContext, runId: string, outcome: "failed" | "stopped", error: NexusError | null): Promise<void> {
  const { store, waiters, closing } = context;
  const reason = error === null ? null : `${error.code}: ${error.message}`;
  await retrying(
    () =>
      store.db.transaction(async (tx) => {
        const changed = await tx
          .update(runs)
          .set({ state: "finished", outcome, reason, finishedAt: new Date() })
          .where(and(eq(runs.id, runId), ne(runs.state, "finished")))
          .returning({ modelHash: runs.modelHash });
        const [row] = changed;
        if (row !== undefined) {
          await appendEvents(tx, runId, [{ type: "run-finished", payload: { outcome, reason, modelHash: row.modelHash, modelId: null } }]);
        }
      }),
    { signal: closing },
  );
  waiters.wake(runKey(runId));
}
