import { NexusError } from "@ciphernx/core/errors";
import { nodesAt, type Roster } from "@ciphernx/core/roster";
import type { Directory } from "@ciphernx/crypto/secagg";
import { hexToBytes } from "@noble/hashes/utils.js";
import type { PlannedParty, TaskPlan } from "../../../spec/index.ts";

/**
 * Who stands at each place of a plan's list, by the roster that this node keeps: keys and organisations as those signed for them who may. The coordinator has no say in it.
 * @throws NexusError SUM_REFUSED where the plan names no roster
 */
export function peersOf(plan: Pick<TaskPlan, "roster">, parties: readonly Pick<PlannedParty, "name">[], roster: Roster): Directory {
  if (plan.roster === undefined)
    throw new NexusError("SUM_REFUSED", "The plan names no roster, so nobody but the coordinator says who the others are.");
  const known = nodesAt(roster, plan.roster.version);
  return {
    size: parties.length,
    of(place) {
      const node = known.get(parties[place]?.name ?? "");
      return node && { key: hexToBytes(node.key), organisation: node.organisation };
    },
  };
}
