import { rounds, runs, type Store, tasks } from "@ciphernx/core/store";
import { and, eq } from "@ciphernx/core/store/sql";
import { type Preprocessing, preprocessingHash } from "../../data/preprocess/index.ts";
import { preprocessingSummary } from "../round/fitted-preprocessing.ts";
import type { Phase } from "../round/run-round.ts";
import { appendEvents } from "./event-log.ts";
import type { HostedRun } from "./hosted-run.ts";
import { whereAttempt, whereTasks } from "./phases.ts";

/**
 * Keeps how the run's rows become inputs, in one transaction and once: a repeated call finds it there. The transcript names each upload
 * that was added, with its party's signature.
 */
export async function commitPreprocessing(
  store: Store,
  { runId, plan }: HostedRun,
  phase: Phase,
  accepted: readonly string[],
  preprocessing: Preprocessing,
): Promise<void> {
  await store.db.transaction(async (tx) => {
    const [run] = await tx.select({ state: runs.state, kept: runs.preprocessing }).from(runs).where(eq(runs.id, runId)).for("update");
    if (run === undefined || run.state === "finished" || run.kept !== null) return;
    const answers = await tx
      .select({ party: tasks.party, hash: tasks.blobHash, weight: tasks.weight, signature: tasks.signature, up: tasks.bytesUp })
      .from(tasks)
      .where(and(whereTasks(runId, phase), eq(tasks.state, "accepted")));
    const added = new Set(accepted);
    const bytesUp = answers.reduce((total, { up }) => total + up, 0);
    const transcript = {
      specHash: plan.specHash,
      planHash: plan.planHash,
      preprocessingHash: preprocessingHash(preprocessing),
      statistics: answers
        .filter(({ party }) => added.has(party))
        .map(({ party, hash: blob, weight, signature }) => ({
          ...{ party, hash: blob, weight },
          signature: signature === null ? null : Buffer.from(signature).toString("hex"),
        }))
        .toSorted((a, b) => (a.party < b.party ? -1 : 1)),
    };
    await tx.update(rounds).set({ state: "committed", committedAt: new Date(), bytesUp, transcript }).where(whereAttempt(runId, phase));
    await tx.update(runs).set({ preprocessing }).where(eq(runs.id, runId));
    await appendEvents(tx, runId, [{ type: "rows-prepared", payload: preprocessingSummary(plan, accepted, preprocessing) }]);
  });
}
