import { NexusError } from "@ciphernx/core/errors";
import { keyAt, nodesAt, type Roster } from "@ciphernx/core/roster";
import { verify } from "@ciphernx/crypto/keys";
import type { RunStart } from "@ciphernx/protocol/proto";
import { startBytes } from "@ciphernx/protocol/wire";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import type { PlannedParty, TaskPlan } from "../../spec/index.ts";
import type { NodeIdentity } from "./identity.ts";

/** What a task says of the people behind a run. */
export interface RosteredTask {
  readonly plan: TaskPlan;
  /** All of the plan's. */
  readonly parties: readonly Pick<PlannedParty, "name">[];
  readonly start: RunStart | undefined;
}

/**
 * That a run is one of the organisations on the roster: each party of its plan was a node of one of them when the plan was made, this node
 * still is, and one of them started the run with its key. What the coordinator says of itself counts for nothing here.
 * @throws NexusError NOT_ON_ROSTER, RUN_NOT_SIGNED
 */
export async function checkRoster({ plan, parties, start }: RosteredTask, roster: Roster, { name, key }: NodeIdentity): Promise<void> {
  const head = plan.roster;
  if (head === undefined)
    throw new NexusError("RUN_NOT_SIGNED", "The plan names no roster, but this node belongs to an organisation that is on one.");
  const known = nodesAt(roster, head.version);
  const strangers = parties.filter((party) => !known.has(party.name));
  if (strangers.length > 0) {
    throw new NexusError(
      "NOT_ON_ROSTER",
      `The plan has parties that were not on the roster at entry ${head.version}: ${strangers.map((party) => party.name).join(", ")}.`,
    );
  }
  const own = roster.nodes.get(name);
  if (own?.key !== bytesToHex(key.publicKey))
    throw new NexusError(
      "NOT_ON_ROSTER",
      `This node, ${name}, is ${own === undefined ? "not" : "with another key"} on the roster (entry ${roster.version}).`,
    );
  if (start === undefined) throw new NexusError("RUN_NOT_SIGNED", "Nobody on the roster signed the start of the run.");
  const starter = roster.organisations.get(start.organisation);
  const starterKey = starter && keyAt(starter, head.version);
  if (starterKey === undefined)
    throw new NexusError("NOT_ON_ROSTER", `"${start.organisation}", which is said to have started the run, is not on the roster.`);
  const { organisation, initialModelHash, idempotencyKey, signature } = start;
  const signed = startBytes({ organisation, specHash: plan.specHash, planHash: plan.planHash, initialModelHash, idempotencyKey });
  if (await verify(hexToBytes(starterKey), signed, signature)) return;
  throw new NexusError("RUN_NOT_SIGNED", `The run is not signed by "${organisation}" over the spec and plan that came with the task.`);
}
