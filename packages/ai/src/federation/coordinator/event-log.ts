import { type Database, events, runs, type Transaction } from "@ciphernx/core/store";
import { and, asc, eq, gt, sql } from "@ciphernx/core/store/sql";
import type { RunEvent, RunEventBody } from "../events.ts";

/** Appends events under the run's row lock, so that numbers have no gaps and no event appears before an earlier one. */
export async function appendEvents(tx: Transaction, runId: string, bodies: readonly RunEventBody[]): Promise<void> {
  if (bodies.length === 0) return;
  await tx.execute(sql`select 1 from ${runs} where ${runs.id} = ${runId} for update`);
  const last = sql`(select coalesce(max(${events.number}), 0) from ${events} where ${events.runId} = ${runId})`;
  await tx.insert(events).values(bodies.map(({ type, payload }, index) => ({ runId, number: sql`${last} + ${index + 1}::int`, type, payload })));
}

/** Events of a run with a number greater than `after`, in order. */
export async function listEvents(db: Database, runId: string, after: number, limit: number): Promise<readonly RunEvent[]> {
  const rows = await db
    .select()
    .from(events)
    .where(and(eq(events.runId, runId), gt(events.number, after)))
    .orderBy(asc(events.number))
    .limit(limit);
  return rows.map((row) => ({ number: row.number, at: row.at.toISOString(), type: row.type, payload: row.payload }) as RunEvent);
}
