import { NexusError, plural } from "@ciphernx/core/errors";
import { type Store, tasks } from "@ciphernx/core/store";
import { and, desc, eq, ne } from "@ciphernx/core/store/sql";

/** Parties whose reasons are told one by one. */
const NAMED_PARTIES = 10;
/** Most characters of one party's reason: a node's own text may be long. */
const MAX_REASON_CHARACTERS = 300;

/** What became of a party's task in the last attempt; absent when it was given none. */
export interface MissedTask {
  readonly party: string;
  readonly state: string;
  readonly reasonCode: string | null;
  readonly reason: string | null;
}

/** A round that no attempt brought to its quorum. */
export interface MissedRound {
  readonly runId: string;
  readonly round: number;
  readonly quorum: number;
  readonly attempts: number;
  /** The parties that the last attempt lacked. */
  readonly missing: readonly string[];
  /** What was wrong with the sum of the last attempt, where that was the reason. */
  readonly why?: string;
}

/** The error of a run whose attempts at a round all failed, with what the tasks of the last attempt say of each party that it lacked. */
export async function quorumNotReached(store: Store, round: MissedRound): Promise<NexusError> {
  const rows = await store.db
    .select({ party: tasks.party, state: tasks.state, reasonCode: tasks.reasonCode, reason: tasks.reason, attempt: tasks.attempt })
    .from(tasks)
    .where(and(eq(tasks.runId, round.runId), eq(tasks.round, round.round), ne(tasks.kind, "evaluate")))
    .orderBy(desc(tasks.attempt));
  return quorumError(
    round,
    rows.filter(({ attempt }) => attempt === rows[0]?.attempt),
  );
}

/** The same of tasks that are known. A party without a task had no approved node to give it to. */
export function quorumError({ runId, round, quorum, attempts, missing, why }: MissedRound, missed: readonly MissedTask[]): NexusError {
  const byParty = new Map(missed.map((task) => [task.party, task]));
  const named = missing.slice(0, NAMED_PARTIES).map((party) => `${party} ${describe(byParty.get(party))}`);
  const rest = missing.length - named.length;
  const who = [...named, ...(rest > 0 ? [`and ${plural(rest, "more party", "more parties")}`] : [])].join("; ");
  if (why !== undefined) {
    return new NexusError("QUORUM_NOT_REACHED", `Round ${round} of ${runId} had no sum that can be used in ${plural(attempts, "attempt")}: ${why}`);
  }
  return new NexusError("QUORUM_NOT_REACHED", `Round ${round} of ${runId} had no quorum of ${quorum} in ${plural(attempts, "attempt")}: ${who}.`);
}

function describe(task: MissedTask | undefined): string {
  switch (task?.state) {
    case undefined:
      return "has no approved node";
    case "accepted":
      return "took no further part in the sum";
    case "rejected":
      return `was refused${because(task)}`;
    case "failed":
      return `failed${because(task)}`;
    default:
      return "did not answer";
  }
}

/** The reason in one line: it becomes a part of a sentence. */
function because(task: MissedTask | undefined): string {
  const { reasonCode = null, reason = null } = task ?? {};
  if (reasonCode === null) return "";
  const text = (reason ?? "").replace(/\s+/g, " ").trim().replace(/\.$/, "");
  const shown = text.length <= MAX_REASON_CHARACTERS ? text : `${text.slice(0, MAX_REASON_CHARACTERS - 1)}…`;
  return ` (${reasonCode}${shown === "" ? "" : `: ${shown}`})`;
}
