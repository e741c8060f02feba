import type { RunPlan } from "@ciphernx/ai/spec";
import { NexusError } from "@ciphernx/core/errors";
import type { StartedBy } from "@ciphernx/core/store";
import { verify } from "@ciphernx/crypto/keys";
import type { RunSignature } from "@ciphernx/protocol/proto";
import { startBytes } from "@ciphernx/protocol/wire";
import type { CoordinatorContext } from "./context.ts";

/** What somebody starts a run with. */
export interface SignedStartRequest {
  readonly idempotencyKey: string;
  readonly initialModelHash: string;
  readonly signature: RunSignature | undefined;
}

/**
 * That an organisation of the roster starts the run of this very plan. The nodes check the same again; here it is told at once.
 * @returns who, to be kept with the run; undefined where the project has no roster
 * @throws NexusError RUN_NOT_SIGNED, PLAN_MOVED
 */
export async function checkStart(
  { roster }: Pick<CoordinatorContext, "roster">,
  plan: RunPlan,
  { idempotencyKey, initialModelHash, signature }: SignedStartRequest,
): Promise<StartedBy | undefined> {
  if (plan.roster === undefined) return undefined;
  if (signature === undefined) throw new NexusError("RUN_NOT_SIGNED", "The project has a roster, and no organisation signed the start of the run.");
  const { organisation, planHash } = signature;
  if (planHash !== plan.planHash) {
    throw new NexusError("PLAN_MOVED", `"${organisation}" signed the plan ${planHash}; what is registered now makes ${plan.planHash}.`);
  }
  const key = (await roster.read())?.organisations.get(organisation)?.key;
  if (key === undefined) throw new NexusError("NOT_ON_ROSTER", `"${organisation}", which starts the run, is no organisation of the roster.`);
  const { specHash } = plan;
  const signed = startBytes({ organisation, specHash, planHash, initialModelHash, idempotencyKey });
  if (!(await verify(Buffer.from(key, "hex"), signed, signature.signature))) {
    throw new NexusError("RUN_NOT_SIGNED", `The start of the run is not signed by the key that "${organisation}" has on the roster.`);
  }
  return { organisation, initialModelHash, signature: Buffer.from(signature.signature).toString("hex") };
}
