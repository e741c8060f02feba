import { NexusError } from "@ciphernx/core/errors";
import { extendsHead, nodesAt, type Roster } from "@ciphernx/core/roster";
import { sign } from "@ciphernx/crypto/keys";
import { startBytes } from "@ciphernx/protocol/wire";
import { contradictoryPlan } from "../../spec/contradictory-plan.ts";
import { hasParties } from "../../spec/party-tree.ts";
import { planHash } from "../../spec/plan-hash.ts";
import { type RunPlan, type RunSpec, runSpecHash } from "../../spec/index.ts";
import type { OpenOrganisation } from "./organisation-folder.ts";
import type { RosterAccess } from "./roster-access.ts";

/** The start of a run that somebody is asked to sign. */
export interface AskedStart {
  readonly spec: RunSpec;
  /** As the coordinator made it. */
  readonly plan: RunPlan;
  /** Empty where the run starts from the spec's initialisation. */
  readonly initialModelHash: string;
  readonly idempotencyKey: string;
}

/** Signs starts of runs for an organisation. */
export interface RunSigner {
  /** The organisation's name. */
  readonly organisation: string;
  /** @throws NexusError when the plan is not of the spec, or not of parties on the roster */
  sign(start: AskedStart): Promise<Uint8Array<ArrayBuffer>>;
}

/** Signs with an organisation's key, after a look at what the coordinator made of the spec. */
export function runSigner(access: RosterAccess, organisation: OpenOrganisation): RunSigner {
  return {
    organisation: organisation.name,
    async sign({ spec, plan, initialModelHash, idempotencyKey }) {
      const roster = await access.read();
      await organisation.seen(roster);
      const problem = wrongPlan(spec, plan, roster);
      if (problem !== undefined) {
        throw new NexusError("RUN_NOT_SIGNED", `The plan that the coordinator made is not signed: ${problem}.`, {
          hint: "Install the coordinator's version here. If it is the same, the coordinator is not to be trusted.",
        });
      }
      const { specHash } = plan;
      return sign(
        organisation.key,
        startBytes({ organisation: organisation.name, specHash, planHash: plan.planHash, initialModelHash, idempotencyKey }),
      );
    },
  };
}

function wrongPlan(spec: RunSpec, plan: RunPlan, roster: Roster): string | undefined {
  if (plan.specHash !== runSpecHash(spec)) return "it is of another spec";
  if (plan.planHash !== planHash(plan)) return "its hash is another";
  if (!hasParties(plan, plan.parties)) return "its parties are not those of its tree";
  if (plan.roster === undefined) return "it names no roster";
  if (!extendsHead(roster, plan.roster)) return `it names another roster than the one with entry ${roster.version}`;
  const known = nodesAt(roster, plan.roster.version);
  const strangers = plan.parties.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  if (strangers.length > 0) return `${strangers.join(", ")} ${strangers.length === 1 ? "is" : "are"} not on the roster`;
  const contradiction = contradictoryPlan(spec, plan);
  return contradiction === undefined ? undefined : `it contradicts the spec: ${contradiction}`;
}
