/**
 * What a party signs before it helps to unmask (Bonawitz et al. 2017, §4, "ConsistencyCheck"): whose vectors are in the sum. The context covers run, round, attempt,
 * base model and plan; the root covers everybody's keys. A party signs one such list an attempt.
 *
 * @module
 */
import { canonicalBytes, sign, type SigningKey, verify } from "../../keys/index.ts";

/** One list of survivors, as all parties have to see it. */
export interface SurvivorList {
  /** Merkle root of the cohort. */
  readonly root: Uint8Array;
  /** Who dealt shares: bitmap over the plan's list. */
  readonly dealers: Uint8Array;
  /** Whose vectors arrived: bitmap over the plan's list. */
  readonly survivors: Uint8Array;
}

/** That a party saw a list. */
export interface SurvivorSignature {
  readonly party: number;
  readonly signature: Uint8Array;
}

export async function signSurvivors(context: Uint8Array, list: SurvivorList, party: number, identity: SigningKey): Promise<SurvivorSignature> {
  return { party, signature: await sign(identity, survivorBytes(context, list)) };
}

/** Whether the party with that key signed this very list. */
export async function hasSigned(
  context: Uint8Array,
  list: SurvivorList,
  { signature }: SurvivorSignature,
  identityKey: Uint8Array,
): Promise<boolean> {
  return verify(identityKey, survivorBytes(context, list), signature);
}

function survivorBytes(context: Uint8Array, { root, dealers, survivors }: SurvivorList): Uint8Array<ArrayBuffer> {
  return canonicalBytes("ciphernx.secagg.v1/survivors", [context, root, dealers, survivors]);
}
