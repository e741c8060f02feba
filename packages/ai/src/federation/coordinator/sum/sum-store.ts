/** What is kept of protected sums: what parties handed in, and which steps ended with whom. @module */
import { bitmapOf, placesOf } from "@ciphernx/crypto/secagg";
import { nodes, prepared, type Store, sumContributions, sumSteps, type SUM_STEPS, tasks } from "@ciphernx/core/store";
import { and, eq, inArray, notExists, sql } from "@ciphernx/core/store/sql";
import type { RunPlan } from "../../../spec/index.ts";
import type { Phase } from "../../round/run-round.ts";
import { whereTasks } from "../phases.ts";

export type SumStepName = (typeof SUM_STEPS)[number];

/** A sum's phase with its run. */
export interface SumPhase extends Phase {
  readonly runId: string;
}

/** What one party handed in for a step. */
export interface Contribution {
  /** Place in the plan's list. */
  readonly party: number;
  readonly message: Uint8Array;
}

/** Steps that ended, each with the places of the parties that took it. */
export type ClosedSteps = ReadonlyMap<SumStepName, readonly number[]>;

function whereSteps({ runId, round, attempt, kind }: SumPhase) {
  return and(eq(sumSteps.runId, runId), eq(sumSteps.round, round), eq(sumSteps.attempt, attempt), eq(sumSteps.kind, kind));
}

export async function closedSteps({ db }: Pick<Store, "db">, phase: SumPhase, plan: RunPlan): Promise<ClosedSteps> {
  const rows = await db.select({ step: sumSteps.step, parties: sumSteps.parties }).from(sumSteps).where(whereSteps(phase));
  return new Map(rows.map(({ step, parties }) => [step, placesOf(parties, plan.parties.length)]));
}

/** Ends a step. The first caller's parties stand. @returns them, and when the step ended */
export async function closeStep(
  store: Store,
  phase: SumPhase,
  plan: RunPlan,
  step: SumStepName,
  parties: readonly number[],
  openedAt: Date,
): Promise<{ readonly parties: readonly number[]; readonly at: Date }> {
  const { runId, round, attempt, kind } = phase;
  const ended = { parties: sumSteps.parties, at: sumSteps.closedAt };
  const [own] = await store.db
    .insert(sumSteps)
    .values({ runId, round, attempt, kind, step, parties: bitmapOf(plan.parties.length, parties), openedAt })
    .onConflictDoNothing()
    .returning(ended);
  const [row] =
    own === undefined
      ? await store.db
          .select(ended)
          .from(sumSteps)
          .where(and(whereSteps(phase), eq(sumSteps.step, step)))
      : [own];
  return { parties: placesOf(row!.parties, plan.parties.length), at: row!.at };
}

/**
 * Keeps what a party hands in, once; the same again changes nothing. What is kept at the moment when the step ends may not count any more: who is in a step is what
 * its end says.
 * @returns again: it was kept before; late: the step has ended; other: the party handed in something else before
 */
export async function contribute(
  store: Store,
  { runId, round, attempt, kind }: SumPhase,
  taskId: string,
  step: SumStepName,
  message: Uint8Array,
): Promise<"kept" | "again" | "late" | "other"> {
  const { rowCount } = await keepContribution(store.db).execute({ task: taskId, step, message, run: runId, round, attempt, kind });
  if (rowCount === 1) return "kept";
  const [before] = await store.db
    .select({ message: sumContributions.message })
    .from(sumContributions)
    .where(and(eq(sumContributions.taskId, taskId), eq(sumContributions.step, step)));
  if (before === undefined) return "late";
  return Buffer.compare(before.message, message) === 0 ? "again" : "other";
}

/** One statement, since every party hands in half a dozen a sum. */
const keepContribution = prepared((db) => {
  const given = sql.placeholder;
  const isOfSum = and(eq(sumSteps.runId, given("run")), eq(sumSteps.round, given("round")), eq(sumSteps.attempt, given("attempt")));
  const ended = db
    .select({ step: sumSteps.step })
    .from(sumSteps)
    .where(and(isOfSum, eq(sumSteps.kind, given("kind")), eq(sumSteps.step, given("step"))));
  return db
    .insert(sumContributions)
    .select(
      db
        .select({
          taskId: sql<string>`${given("task")}::text`.as("task_id"),
          step: sql<SumStepName>`${given("step")}::text`.as("step"),
          message: sql<Uint8Array>`${sql.param(given("message"), sumContributions.message)}`.as("message"),
          receivedAt: sql<Date>`now()`.as("received_at"),
        })
        .from(sql`(values (1)) as one`)
        .where(notExists(ended)),
    )
    .onConflictDoNothing()
    .prepare("keep-contribution");
});

/** What stands for a party that refused to take a step: nothing that any step asks for is empty. */
export const REFUSAL = new Uint8Array();

/** Everything that was handed in for a step, by place. */
export async function contributionsTo(store: Pick<Store, "db">, phase: SumPhase, plan: RunPlan, step: SumStepName): Promise<readonly Contribution[]> {
  const rows = await store.db
    .select({ name: tasks.party, message: sumContributions.message })
    .from(sumContributions)
    .innerJoin(tasks, eq(tasks.id, sumContributions.taskId))
    .where(and(whereTasks(phase.runId, phase), eq(sumContributions.step, step)));
  const places = placesByName(plan);
  return rows
    .filter(({ message }) => message.length > 0)
    .map(({ name, message }) => ({ party: places.get(name)!, message }))
    .toSorted((a, b) => a.party - b.party);
}

/** Whether each party that answered a step took it (or refused), by name. */
export async function answeredStep(store: Pick<Store, "db">, phase: SumPhase, step: SumStepName): Promise<ReadonlyMap<string, "taken" | "refused">> {
  const rows = await store.db
    .select({ name: tasks.party, sizeBytes: sql<number>`length(${sumContributions.message})` })
    .from(sumContributions)
    .innerJoin(tasks, eq(tasks.id, sumContributions.taskId))
    .where(and(whereTasks(phase.runId, phase), eq(sumContributions.step, step)));
  return new Map(rows.map(({ name, sizeBytes }) => [name, sizeBytes === 0 ? "refused" : "taken"]));
}

/** Identity keys of a phase's parties, by place. */
export async function identityKeys(store: Pick<Store, "db">, phase: SumPhase, plan: RunPlan): Promise<ReadonlyMap<number, Uint8Array>> {
  const rows = await store.db
    .select({ name: tasks.party, key: nodes.publicKey })
    .from(tasks)
    .innerJoin(nodes, eq(nodes.id, tasks.nodeId))
    .where(whereTasks(phase.runId, phase));
  const places = placesByName(plan);
  return new Map(rows.map(({ name, key }) => [places.get(name)!, key]));
}

/** When a phase's tasks were given out. */
export async function openedAt(store: Pick<Store, "db">, phase: SumPhase, step: SumStepName | undefined): Promise<Date> {
  if (step !== undefined) {
    const [row] = await store.db
      .select({ at: sumSteps.closedAt })
      .from(sumSteps)
      .where(and(whereSteps(phase), inArray(sumSteps.step, [step])));
    if (row !== undefined) return row.at;
  }
  const [task] = await store.db.select({ at: tasks.createdAt }).from(tasks).where(whereTasks(phase.runId, phase)).limit(1);
  return task?.at ?? new Date();
}

/** The places of a set that a party handed in. @throws RangeError when it is no set of the plan's parties */
export function placesOfBitmap(bitmap: Uint8Array, { parties }: Pick<RunPlan, "parties">): readonly number[] {
  return placesOf(bitmap, parties.length);
}

/** Places in the plan's list by name. */
export function placesByName({ parties }: Pick<RunPlan, "parties">): ReadonlyMap<string, number> {
  return new Map(parties.map(({ name }, place) => [name, place]));
}
