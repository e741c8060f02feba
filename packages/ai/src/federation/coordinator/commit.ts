import { models, rounds, runs, type Store, tasks } from "@ciphernx/core/store";
import { and, asc, eq, inArray } from "@ciphernx/core/store/sql";
import { modelCard } from "../../models/index.ts";
import { type CommittedRound, contributions } from "../round/contributions.ts";
import type { RoundCommit } from "../round/run-round.ts";
import type { HostedRun } from "./hosted-run.ts";
import type { RoundSummary, RunEventBody } from "../events.ts";
import { appendEvents } from "./event-log.ts";
import { type Cohort, whereAttempt } from "./phases.ts";

/**
 * Makes a round's model the run's model, in one transaction and once: a repeated call finds the round committed.
 * The last round also ends the run and registers its model with its card.
 */
export async function commitRound(store: Store, run: HostedRun, commit: RoundCommit, modelId: string): Promise<void> {
  const { runId, spec, plan } = run;
  const { round, attempt, accepted, stepped, evaluated, judgedBase } = commit;
  const sizeBytes = await store.blobs.size(stepped.modelHash as Parameters<typeof store.blobs.size>[0]);
  await store.db.transaction(async (tx) => {
    const [current] = await tx.select({ round: runs.currentRound, state: runs.state }).from(runs).where(eq(runs.id, runId)).for("update");
    // Another workflow of the run may have been here; a round is committed once, whoever does it.
    if (current === undefined || current.state === "finished" || current.round !== round - 1) return;
    const [row] = await tx.select().from(rounds).where(whereAttempt(runId, commit)).for("update");
    if (row === undefined || row.state === "committed") return;
    const answers = await tx
      .select({
        kind: tasks.kind,
        party: tasks.party,
        hash: tasks.blobHash,
        weight: tasks.weight,
        signature: tasks.signature,
        up: tasks.bytesUp,
        down: tasks.bytesDown,
        state: tasks.state,
      })
      .from(tasks)
      .where(and(eq(tasks.runId, runId), eq(tasks.round, round), eq(tasks.attempt, attempt), inArray(tasks.state, ["accepted"])));
    const bytesUp = answers.reduce((total, { up }) => total + up, 0);
    const bytesDown = answers.reduce((total, { down }) => total + down, 0);
    const added = new Set(accepted);
    const committedAt = new Date();
    const transcript = {
      specHash: plan.specHash,
      planHash: plan.planHash,
      protection: spec.protection.kind,
      baseModelHash: row.baseModelHash,
      modelHash: stepped.modelHash,
      ...(row.baseStateHash === null ? {} : { baseStateHash: row.baseStateHash }),
      ...(stepped.stateHash === null ? {} : { stateHash: stepped.stateHash }),
      updates: answers
        .filter(({ kind, party }) => kind === "fit" && added.has(party))
        .map(({ party, hash, weight, signature }) => ({
          party,
          hash,
          weight,
          signature: signature === null ? null : Buffer.from(signature).toString("hex"),
        }))
        .toSorted((a, b) => (a.party < b.party ? -1 : 1)),
    };
    await tx
      .update(rounds)
      .set({ state: "committed", committedAt, evaluateMetrics: evaluated, bytesUp, bytesDown, transcript })
      .where(whereAttempt(runId, commit));

    const last = round === plan.rounds;
    await tx
      .update(runs)
      .set({
        currentRound: round,
        modelHash: stepped.modelHash,
        serverStateHash: stepped.stateHash,
        ...(last ? { state: "finished" as const, outcome: "completed" as const, finishedAt: committedAt } : {}),
      })
      .where(eq(runs.id, runId));

    const summary: RoundSummary = {
      round,
      rounds: plan.rounds,
      attempt,
      accepted: accepted.length,
      missed: (row.cohort as Cohort).parties.filter((party) => !added.has(party)),
      fit: stepped.fit,
      evaluated,
      bytesUp,
      bytesDown,
      seconds: (committedAt.getTime() - row.openedAt.getTime()) / 1000,
      saturated: stepped.saturated,
      modelHash: stepped.modelHash,
    };
    const events: RunEventBody[] = [];
    if (judgedBase !== null) {
      const before = and(eq(rounds.runId, runId), eq(rounds.round, round - 1), eq(rounds.state, "committed"));
      await tx.update(rounds).set({ evaluateMetrics: judgedBase }).where(before);
      events.push({ type: "round-judged", payload: { round: round - 1, rounds: plan.rounds, evaluated: judgedBase, modelHash: row.baseModelHash } });
    }
    events.push({ type: "round-committed", payload: summary });
    if (last) {
      const [owner] = await tx
        .select({ projectId: runs.projectId, name: runs.name, initial: runs.initialModelHash })
        .from(runs)
        .where(eq(runs.id, runId));
      const committed = await tx
        .select({ round: rounds.round, accepted: rounds.accepted })
        .from(rounds)
        .where(and(eq(rounds.runId, runId), eq(rounds.state, "committed")))
        .orderBy(asc(rounds.round));
      const card = modelCard({
        runId,
        spec,
        plan,
        preprocessing: run.preprocessing,
        initialModelHash: owner?.initial ?? null,
        modelHash: stepped.modelHash,
        round,
        contributions: contributions(plan, spec.seed, committed as CommittedRound[]),
        metrics: { fit: stepped.fit, evaluated },
      });
      await tx
        .insert(models)
        .values({
          id: modelId,
          projectId: owner!.projectId,
          runId,
          name: owner!.name,
          hash: stepped.modelHash,
          sizeBytes: sizeBytes ?? plan.model.sizeBytes,
          card,
        })
        .onConflictDoNothing();
      events.push({ type: "run-finished", payload: { outcome: "completed", reason: null, modelHash: stepped.modelHash, modelId } });
    }
    await appendEvents(tx, runId, events);
  });
}
