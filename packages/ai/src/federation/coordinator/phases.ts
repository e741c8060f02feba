import { prepared, rounds, runs, type Store, TASK_KINDS, tasks, type Transaction } from "@ciphernx/core/store";
import { and, eq, inArray, ne, notInArray, sql } from "@ciphernx/core/store/sql";
import type { Standing } from "../round/close.ts";
import type { Phase } from "../round/run-round.ts";
import { appendEvents } from "./event-log.ts";

/** What the row of an attempt says of its cohort. */
export interface Cohort {
  readonly parties: readonly string[];
}

/** The rows of an attempt at a round in the journal. */
export function whereAttempt(runId: string, { round, attempt }: Pick<Phase, "round" | "attempt">) {
  return and(eq(rounds.runId, runId), eq(rounds.round, round), eq(rounds.attempt, attempt));
}

export function whereTasks(runId: string, { kind, round, attempt }: Phase) {
  return and(eq(tasks.runId, runId), eq(tasks.round, round), eq(tasks.attempt, attempt), eq(tasks.kind, kind));
}

const attempt = { run: sql.placeholder("run"), round: sql.placeholder("round"), attempt: sql.placeholder("attempt"), kind: sql.placeholder("kind") };
/** Prepared, since it is asked after every answer. A run without tasks gives one row without a task. */
const standingRows = prepared((db) =>
  db
    .select({ stop: runs.stopRequested, party: tasks.party, state: tasks.state, nodeId: tasks.nodeId })
    .from(runs)
    .leftJoin(tasks, and(eq(tasks.runId, runs.id), eq(tasks.round, attempt.round), eq(tasks.attempt, attempt.attempt), eq(tasks.kind, attempt.kind)))
    .where(eq(runs.id, attempt.run))
    .prepare("standings"),
);

/** What a look at a phase finds. */
export interface Look {
  /** Whether somebody wants the run to stop. */
  readonly stopRequested: boolean;
  readonly standings: readonly Standing[];
}

/** How each invited party stands. `absent` says of a node whether it has not been heard of for a while. */
export async function lookAt(
  store: Store,
  runId: string,
  phase: Phase,
  parties: readonly string[],
  absent: (nodeId: string) => boolean,
): Promise<Look> {
  const rows = await standingRows(store.db).execute({ run: runId, ...phase });
  const byParty = new Map(rows.map((row) => [row.party, row]));
  const standings = parties.map((party): Standing => {
    const row = byParty.get(party);
    if (row === undefined) return { party, state: "refused" };
    switch (row.state) {
      case "accepted":
        return { party, state: "accepted" };
      case "waiting":
      case "delivered":
        return { party, state: row.nodeId !== null && absent(row.nodeId) ? "absent" : "pending" };
      case "rejected":
      case "failed":
      case "expired":
      case null:
        return { party, state: "refused" };
    }
  });
  return { stopRequested: rows[0]?.stop ?? false, standings };
}

/**
 * Closes a phase: its accepted set is whatever has been acknowledged by then, also what came after the decision to close; what is
 * still open expires. The first caller's set stands.
 * @returns the accepted parties, in the order of `parties`
 */
export async function closePhase(store: Store, runId: string, phase: Phase, parties: readonly string[]): Promise<readonly string[]> {
  return store.db.transaction(async (tx) => {
    // An acknowledgement holds this row shared: none is under way while it is held here.
    const [row] = await tx.select({ state: rounds.state, accepted: rounds.accepted }).from(rounds).where(whereAttempt(runId, phase)).for("update");
    if (phase.kind !== "evaluate" && row?.state !== "open") return (row?.accepted ?? []) as readonly string[];
    const answered = await tx
      .select({ party: tasks.party })
      .from(tasks)
      .where(and(whereTasks(runId, phase), eq(tasks.state, "accepted")));
    const names = new Set(answered.map(({ party }) => party));
    const accepted = parties.filter((party) => names.has(party));
    if (phase.kind !== "evaluate") await tx.update(rounds).set({ state: "closed", accepted, closedAt: new Date() }).where(whereAttempt(runId, phase));
    await expireTasks(tx, runId, phase, "The round closed without it.");
    return accepted;
  });
}

/** Ends the open tasks of a phase's other parties: they did not take a step that its sum needs. */
export async function expireOthers({ db }: Store, runId: string, phase: Phase, parties: readonly string[]): Promise<void> {
  await db
    .update(tasks)
    .set({ state: "expired", reasonCode: "TASK_CLOSED", reason: "The sum went on without it." })
    .where(and(whereTasks(runId, phase), notInArray(tasks.party, [...parties]), inArray(tasks.state, ["waiting", "delivered"])));
}

/** Ends what a run that failed has left open, so that no node works for it any more. */
export async function abandonRest(tx: Transaction, runId: string): Promise<void> {
  await tx
    .update(rounds)
    .set({ state: "abandoned", closedAt: new Date(), transcript: { abandoned: "failed" } })
    .where(and(eq(rounds.runId, runId), ne(rounds.state, "committed"), ne(rounds.state, "abandoned")));
  await tx
    .update(tasks)
    .set({ state: "expired", reasonCode: "TASK_CLOSED", reason: "The run ended." })
    .where(and(eq(tasks.runId, runId), inArray(tasks.state, ["waiting", "delivered"])));
}

/** Ends an attempt that has no quorum, or whose run was stopped. */
export async function abandonAttempt(
  store: Store,
  runId: string,
  phase: Phase,
  { reason, missing, why }: { readonly reason: "quorum" | "stopped"; readonly missing: readonly string[]; readonly why: string | undefined },
): Promise<void> {
  const told = why === undefined ? {} : { why };
  await store.db.transaction(async (tx) => {
    const changed = await tx
      .update(rounds)
      .set({ state: "abandoned", closedAt: new Date(), transcript: { abandoned: reason, missing, ...told } })
      .where(and(whereAttempt(runId, phase), ne(rounds.state, "committed"), ne(rounds.state, "abandoned")))
      .returning({ round: rounds.round });
    for (const kind of TASK_KINDS)
      await expireTasks(tx, runId, { ...phase, kind }, reason === "quorum" ? "The deadline passed." : "The run was stopped.");
    if (changed.length > 0 && reason === "quorum") {
      await appendEvents(tx, runId, [{ type: "round-abandoned", payload: { round: phase.round, attempt: phase.attempt, missing, ...told } }]);
    }
  });
}

async function expireTasks(tx: Transaction, runId: string, phase: Phase, reason: string): Promise<void> {
  await tx
    .update(tasks)
    .set({ state: "expired", reasonCode: "TASK_CLOSED", reason })
    .where(and(whereTasks(runId, phase), inArray(tasks.state, ["waiting", "delivered"])));
}
