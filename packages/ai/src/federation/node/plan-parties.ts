import { NexusError } from "@ciphernx/core/errors";
import type { Task } from "@ciphernx/protocol/proto";
import { hasParties } from "../../spec/party-tree.ts";
import type { PlannedParty, TaskPlan } from "../../spec/index.ts";
import { plannedParty } from "./planned-party.ts";
import type { NodeSession } from "./session.ts";

/** Lists that are kept: a run asks for its own twice a task. */
const KEPT_LISTS = 4;

/** The parties of plans, read once each: tasks carry a hash of the list alone. */
export interface PlanParties {
  /** @throws NexusError SPEC_INVALID when the coordinator has another list than the plan's; of the connection */
  of(session: NodeSession, task: Task, plan: TaskPlan): Promise<readonly PlannedParty[]>;
}

/** Nothing read yet. */
export function createPlanParties(): PlanParties {
  const kept = new Map<string, readonly PlannedParty[]>();
  return {
    async of(session, { taskId }, plan) {
      const { rootHash, size } = plan.partyTree;
      const known = kept.get(rootHash);
      if (known !== undefined) return known;
      const parties: PlannedParty[] = [];
      while (parties.length < size) {
        const page = await session.call((client) => client.readPlanParties({ taskId, after: parties.length }));
        if (page.parties.length === 0) break;
        for (const party of page.parties) parties.push(plannedParty(party));
      }
      if (!hasParties(plan, parties)) {
        throw new NexusError("SPEC_INVALID", `The coordinator shows other parties of the plan ${plan.planHash} than the plan has.`);
      }
      kept.set(rootHash, parties);
      for (const oldest of kept.keys()) {
        if (kept.size <= KEPT_LISTS) break;
        kept.delete(oldest);
      }
      return parties;
    },
  };
}
