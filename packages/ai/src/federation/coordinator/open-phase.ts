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
  /**
   * Whether the parties keep values to themselves from round to round. Then each task says after which attempt the party's values stand:
   * the last one of a committed round that added its update, or, for an evaluation, the one that is evaluated.
   */
  readonly partiesKeep: boolean;
  /** Whether a fit's tasks name the strategy's own vectors, which the parties then fetch. */
  readonly sendsState: boolean;
}

/**
 * Records a phase and its tasks, once: a repeated call finds the rows and changes nothing.
 * A party without a node (removed since the plan was made) gets no task and counts as refused.
 * @returns the nodes that have something to do
 */
export async function openPhase(store: Store, open: OpenPhase): Promise<readonly string[]> {
  const { runId, phase, instruction, partiesKeep, sendsState } = open;
  const { round, attempt, kind } = phase;
  const { parties } = instruction;
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
    const config = sendsState && kind === "fit" && run.stateHash !== null ? { ...instruction.config, stateHash: run.stateHash } : instruction.config;
    // One statement, however many parties: every node waits for it.
    const { rows } = await tx.execute<{ node: string }>(sql`
      with opened as (
        insert into rounds (run_id, round, attempt, state, base_model_hash, base_state_hash, cohort, deadline_at)
        select ${runId}, ${round}::int, ${attempt}::int, 'open', ${modelHash}, ${run.stateHash}, ${JSON.stringify(cohort)}::jsonb, ${open.deadlineAt}::timestamptz
        where ${kind} <> 'evaluate'
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
      ), last_kept as (
        select distinct on (fit.party) fit.party, jsonb_build_object('keptRound', fit.round, 'keptAttempt', fit.attempt) as told
        from tasks fit join rounds using (run_id, round, attempt)
        where ${partiesKeep} and fit.run_id = ${runId} and fit.kind = 'fit' and fit.state = 'accepted'
          and (rounds.state = 'committed' or (${kind} = 'evaluate' and fit.round = ${round}::int and fit.attempt = ${attempt}::int))
        order by fit.party, fit.round desc, fit.attempt desc
      ), given as (
        insert into tasks (id, run_id, round, attempt, kind, node_id, party, state, config, base_model_hash, deadline_at)
        select task, ${runId}, ${round}::int, ${attempt}::int, ${kind}, node, name, 'waiting', ${JSON.stringify(config)}::jsonb || coalesce(told, '{}'), ${modelHash}, ${open.deadlineAt}::timestamptz
        from invited left join last_kept on last_kept.party = invited.name
        on conflict do nothing
      )
      select node from invited`);
    return rows.map(({ node }) => node);
  });
}
