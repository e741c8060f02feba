import type { NexusError } from "@ciphernx/core/errors";
import { redactSecrets } from "@ciphernx/core/identity/redact";
import { runs } from "@ciphernx/core/store";
import { eq } from "@ciphernx/core/store/sql";
import { type EngineContext, runKey } from "./engine-context.ts";
import { appendEvents } from "./event-log.ts";
import { abandonRest } from "./phases.ts";
import { progress, reachedRound } from "./reached-round.ts";

export interface FinishRun {
  readonly runId: string;
  /** The round under way; when it has been committed after all, the run goes on. */
  readonly round: number;
  readonly outcome: "failed" | "stopped";
  readonly error: NexusError | null;
}

/** Ends a run that has no result; the model of its last committed round stays. Does nothing when the run has ended. */
export async function finishRun(context: EngineContext, { runId, round, outcome, error }: FinishRun): Promise<void> {
  const { store, waiters } = context;
  const reason = error === null ? null : redactSecrets(`${error.code}: ${error.message}`);
  await store.db.transaction(async (tx) => {
    const [row] = await tx
      .select({ ...progress, state: runs.state, modelHash: runs.modelHash })
      .from(runs)
      .where(eq(runs.id, runId))
      .for("update");
    if (row === undefined || row.state === "finished" || reachedRound(row) > round) return;
    await tx.update(runs).set({ state: "finished", outcome, reason, finishedAt: new Date() }).where(eq(runs.id, runId));
    // A resumed run begins a new attempt.
    await abandonRest(tx, runId);
    await appendEvents(tx, runId, [{ type: "run-finished", payload: { outcome, reason, modelHash: row.modelHash, modelId: null } }]);
  });
  waiters.wake(runKey(runId));
}
