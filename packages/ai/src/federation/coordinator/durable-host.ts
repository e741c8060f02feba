import type { Sha256 } from "@ciphernx/core/blobs";
import { NexusError } from "@ciphernx/core/errors";
import { newId } from "@ciphernx/core/ids";
import { sleep } from "@ciphernx/core/lifecycle";
import { blobs, databaseError, rounds, TASK_KINDS, tasks } from "@ciphernx/core/store";
import { DBOS } from "@dbos-inc/dbos-sdk";
import { and, eq, inArray } from "@ciphernx/core/store/sql";
import type { UpdateExtras } from "../../aggregation/index.ts";
import { close } from "../round/close.ts";
import { fittedPreprocessing } from "../round/fitted-preprocessing.ts";
import { evaluationTotals } from "../round/phase-totals.ts";
import type { Phase, RoundHost } from "../round/run-round.ts";
import { type AcceptedBlob, aggregate } from "./aggregate.ts";
import { commitRound } from "./commit.ts";
import { commitPreprocessing } from "./commit-preprocessing.ts";
import { answersKey, type EngineContext, nodeKey, type RoundContext, runKey } from "./engine-context.ts";
import { type HostedRun, hostedRun } from "./hosted-run.ts";
import { openPhase } from "./open-phase.ts";
import { abandonAttempt, closePhase, lookAt, whereAttempt, whereTasks } from "./phases.ts";
import { plainSums } from "./plain-sums.ts";
import { collectSum, giveUpSum } from "./sum/collect-sum.ts";
import { unmaskedSums } from "./sum/unmasked-sums.ts";
import { toldWaiting } from "./told-waiting.ts";

/** Longest sleep between two looks at a phase: what notices nodes that went silent. */
const LOOK_INTERVAL_MS = 1_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

/**
 * Runs a step of a workflow once; its result is recorded. What passes by itself (a database that restarts, a full disk) is waited out,
 * and the run's watchers are told once. When the process is closing, the step stays unfinished: the next process runs it again.
 */
export function durableStep<T>(context: EngineContext, runId: string, step: string, action: () => Promise<T>): Promise<T> {
  return DBOS.runStep(() => persistently(context, runId, step, action), { name: step });
}

async function persistently<T>(context: EngineContext, runId: string, step: string, action: () => Promise<T>): Promise<T> {
  const { closing, log } = context;
  for (let pauseMs = FIRST_PAUSE_MS, told = false; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    if (closing.aborted) return forever();
    try {
      return await action();
    } catch (error) {
      if (closing.aborted) return forever();
      const known = databaseError(error);
      if (!known.retryable) throw known;
      log("warn", `Step "${step}" of run ${runId} waits: ${known.message}`, { run: runId, code: known.code });
      // What is full may be the disk that the event would be written to: then the next turn tells.
      told ||= known.code === "DATABASE_UNAVAILABLE" || (await toldWaiting(context, runId, known));
    }
    await sleep(pauseMs);
  }
}

/** Never settles: the process is about to end, and the step must not be recorded as done or failed. */
export function forever(): Promise<never> {
  return new Promise(() => {});
}

/** The round engine's host over PostgreSQL, blobs and nodes: every step is recorded by DBOS and safe to repeat. */
export function durableHost(context: RoundContext, run: HostedRun): RoundHost {
  const { store, kernel, waiters, documents, blobLock, collector, closing, traces } = context;
  const { runId, plan, strategy } = run;
  const sums =
    plan.protection === undefined
      ? undefined
      : unmaskedSums({ store, primitives: context.secAgg, run, acceptedBlobs, baseModelOf: async (phase) => (await firstTask(phase)).baseModelHash });

  async function roundRow(phase: Phase) {
    const [row] = await store.db.select().from(rounds).where(whereAttempt(runId, phase));
    if (row === undefined) throw new NexusError("INTERNAL", `Attempt ${phase.attempt} at round ${phase.round} of ${runId} has no row.`);
    return row;
  }

  async function acceptedBlobs(phase: Phase, accepted: readonly string[]): Promise<readonly AcceptedBlob[]> {
    const rows = await store.db
      .select({ party: tasks.party, hash: tasks.blobHash })
      .from(tasks)
      .where(and(whereTasks(runId, phase), inArray(tasks.party, [...accepted])));
    const byParty = new Map(rows.map(({ party, hash }) => [party, hash]));
    return accepted.map((party) => ({ party, hash: byParty.get(party) as Sha256 }));
  }

  return {
    durably: (step, action) => durableStep(context, runId, step, () => traces.step(step, action)),

    async invite(phase, instruction, modelHash) {
      const deadlineAt = new Date(Date.now() + plan.cohort.deadlineMs);
      const { keeps = [], receivesState: sendsState = false } = strategy.party ?? {};
      const partiesKeep = plan.model.local !== undefined || keeps.length > 0;
      // For the deliveries, while the database is at work. One that cannot read them says so to its node.
      documents.of(runId).catch(() => {});
      const woken = await openPhase(store, { runId, phase, instruction, modelHash, deadlineAt, partiesKeep, sendsState });
      for (const nodeId of woken) waiters.wake(nodeKey(nodeId));
      waiters.wake(runKey(runId));
    },

    async collect(phase, parties, rule) {
      const deadlineUnixMs = await deadlineOf(phase);
      if (sums !== undefined) {
        const collected = await collectSum({ context, run, sums, phase, parties, rule: { ...rule, deadlineUnixMs } });
        traces.closed(runId, phase);
        return collected;
      }
      for (;;) {
        // The place in the queue is taken before the look, so that no wake between the two is lost.
        const woken = waiters.wait(answersKey(runId), {
          timeoutMs: Math.max(1, Math.min(LOOK_INTERVAL_MS, deadlineUnixMs - Date.now())),
          signal: closing,
        });
        const look = await lookAt(store, runId, phase, parties, context.absent);
        const decision = look.stopRequested ? ({ kind: "stopped" } as const) : close(look.standings, { ...rule, deadlineUnixMs }, Date.now());
        if (decision.kind === "wait") {
          await woken;
          continue;
        }
        const collected = decision.kind === "close" ? { kind: "close" as const, accepted: await closePhase(store, runId, phase, parties) } : decision;
        traces.closed(runId, phase);
        return collected;
      }
    },

    async aggregate(phase, accepted) {
      const row = await roundRow(phase);
      const next = await aggregate({
        kernel,
        blobs: store.blobs,
        plan,
        strategy,
        round: phase.round,
        sums:
          sums === undefined
            ? plainSums({ kernel, blobs: store.blobs, plan, kind: "fit", accepted: await acceptedBlobs(phase, accepted) })
            : sums.of(phase),
        baseModel: row.baseModelHash as Sha256,
        baseState: row.baseStateHash as Sha256 | null,
      });
      return blobLock.shared(async () => {
        const model = await next.model.commit();
        const state = await next.state?.commit();
        await store.db.transaction(async (tx) => {
          const added = [{ ...model, kind: "model" }, ...(state === undefined ? [] : [{ ...state, kind: "server-state" }])];
          await tx.insert(blobs).values(added).onConflictDoNothing();
          await tx
            .update(rounds)
            .set({
              state: "stepped",
              modelHash: model.hash,
              serverStateHash: state?.hash ?? null,
              fitMetrics: next.fit,
              saturated: next.extras.saturated,
            })
            .where(and(whereAttempt(runId, phase), eq(rounds.state, "closed")));
        });
        const { extras, fit, base } = next;
        return { modelHash: model.hash, stateHash: state?.hash ?? null, saturated: extras.saturated, fit, ...(base === undefined ? {} : { base }) };
      });
    },

    async prepare(phase, accepted) {
      // Done, but not recorded as a step: the uploads may have been collected since.
      if ((await hostedRun(store, runId)).preprocessing !== null) return;
      const total = await extrasOf(phase, accepted);
      await commitPreprocessing(store, run, phase, accepted, fittedPreprocessing(plan, total));
      waiters.wake(runKey(runId));
      collector.request();
    },

    total: async (phase, accepted) => evaluationTotals(plan, await extrasOf(phase, accepted)),

    async abandon(phase, reason, missing, why) {
      await abandonAttempt(store, runId, phase, { reason, missing, why });
      endSums(phase);
      waiters.wake(runKey(runId));
    },

    async commit(commit) {
      await commitRound(store, run, commit, newId("model"));
      endSums(commit);
      waiters.wake(runKey(runId));
      collector.request();
    },
  };

  async function deadlineOf(phase: Phase): Promise<number> {
    return (await firstTask(phase)).deadlineAt.getTime();
  }

  /** What all tasks of a phase have in common; now is its deadline when it has none. */
  async function firstTask(phase: Phase) {
    const columns = { deadlineAt: tasks.deadlineAt, baseModelHash: tasks.baseModelHash };
    const [row] = await store.db.select(columns).from(tasks).where(whereTasks(runId, phase)).limit(1);
    return row ?? { deadlineAt: new Date(), baseModelHash: "" };
  }

  async function extrasOf(phase: Phase, accepted: readonly string[]): Promise<UpdateExtras> {
    const of = sums?.of(phase) ?? plainSums({ kernel, blobs: store.blobs, plan, kind: phase.kind, accepted: await acceptedBlobs(phase, accepted) });
    return of.extras();
  }

  /** Parties that still wait for a step of an attempt's sums are told that it is over. */
  function endSums({ round, attempt }: Pick<Phase, "round" | "attempt">): void {
    if (sums === undefined) return;
    for (const kind of TASK_KINDS) giveUpSum(context, { runId, kind, round, attempt }, plan);
  }
}
