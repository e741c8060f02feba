import { NexusError } from "@ciphernx/core/errors";
import { newId } from "@ciphernx/core/ids";
import { runs, type Store } from "@ciphernx/core/store";
import { eq, sql } from "@ciphernx/core/store/sql";
import type { RoundInstruction } from "../../strategy/index.ts";
import type { RunEventBody } from "../events.ts";
import type { Phase } from "../round/run-round.ts";
import type { Cohort } from "./phases.ts";

export interface OpenPhase {
  readonly runId: string;
  readonly phase: Phase;
  readonly instruction: RoundInstruction;
  /** The model that the tasks start from: an evaluation's; the run's own when absent. */
  readonly modelHash: string | undefined;
  readonly deadlineAt: Date;
}

/**
 * Records a phase and its tasks, once: a repeated call finds the rows and changes nothing.
 * A party without a node (removed since the plan was made) gets no task and counts as refused.
 * @returns the nodes that have something to do
 */
export async function openPhase(store: Store, open: OpenPhase): Promise<readonly string[]> {
  const { runId, phase, instruction } = open;
  const { round, attempt, kind } = phase;
  const { parties, config } = instruction;
  const taskIds = parties.map(() => newId("task"));
  const cohort: Cohort = { parties };
  const event = { type: "round-opened", payload: { round, attempt, parties } } satisfies RunEventBody;
  return store.db.transaction(async (tx) => {
    // Whoever appends an event holds the run's row, so that numbers have no gaps.
    const [run] = await tx
      .select({ projectId: runs.projectId, modelHash: runs.modelHash, stateHash: runs.serverStateHash })
      .from(runs)
      .where(eq(runs.id, runId))
      .for("update");
    if (run === undefined || run.modelHash === null) throw new NexusError("RUN_NOT_FOUND", `The run ${runId} has no model to start from.`);
    const modelHash = open.modelHash ?? run.modelHash;
    // One statement, however many parties: every node waits for it.
    const { rows } = await tx.execute<{ node: string }>(sql`
      with opened as (
        insert into rounds (run_id, round, attempt, state, base_model_hash, base_state_hash, cohort, deadline_at)
        select ${runId}, ${round}::int, ${attempt}::int, 'open', ${modelHash}, ${run.stateHash}, ${JSON.stringify(cohort)}::jsonb, ${open.deadlineAt}::timestamptz
        where ${kind} = 'fit'
        on conflict do nothing returning round
      ), started as (
        update runs set state = 'running', started_at = coalesce(started_at, now())
        where id = ${runId} and state <> 'finished' and exists (select from opened)
      ), told as (
        insert into events (run_id, number, type, payload)
        select ${runId}, (select coalesce(max(number), 0) + 1 from events where run_id = ${runId}), ${event.type}, ${JSON.stringify(event.payload)}::jsonb
        from opened
      ), invited as (
        select party.task, party.name, nodes.id as node
        from unnest(${sql.param(taskIds)}::text[], ${sql.param(parties)}::text[]) as party (task, name)
        join nodes on nodes.name = party.name and nodes.project_id = ${run.projectId} and nodes.status = 'approved'
      ), given as (
        insert into tasks (id, run_id, round, attempt, kind, node_id, party, state, config, base_model_hash, deadline_at)
        select task, ${runId}, ${round}::int, ${attempt}::int, ${kind}, node, name, 'waiting', ${JSON.stringify(config)}::jsonb, ${modelHash}, ${open.deadlineAt}::timestamptz
        from invited
        on conflict do nothing
      )
      select node from invited`);
    return rows.map(({ node }) => node);
  });
}
