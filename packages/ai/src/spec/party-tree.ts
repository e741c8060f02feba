import { canonicalJson } from "@ciphernx/core/spec";
import { type Inclusion, isIncluded, type MerkleTree, merkleTree } from "@ciphernx/crypto/merkle";
import { bytesToHex, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import type { PlannedParty, RunPlan, TaskPlan } from "./plan.ts";

/** The tree over a plan's parties in their order. */
export function partyTree(parties: readonly PlannedParty[]): MerkleTree {
  return merkleTree(parties.map(entryOf));
}

/** What a plan says of the list of its parties. */
export function partyTreeHead(parties: readonly PlannedParty[]): TaskPlan["partyTree"] {
  const { size, root } = partyTree(parties);
  return { size, rootHash: bytesToHex(root) };
}

/** Whether that list is the one of the plan. */
export function hasParties({ partyTree: said }: Pick<TaskPlan, "partyTree">, parties: readonly PlannedParty[]): boolean {
  const { size, rootHash } = partyTreeHead(parties);
  return said.size === size && said.rootHash === rootHash;
}

/** Whether the plan's list has that party in that place, by the hashes that show it. */
export function hasParty(
  { partyTree: said }: Pick<TaskPlan, "partyTree">,
  party: PlannedParty,
  { index, proof }: Pick<Inclusion, "index" | "proof">,
): boolean {
  if (!/^[0-9a-f]{64}$/.test(said.rootHash)) return false;
  return isIncluded({ entry: entryOf(party), index, size: said.size, root: hexToBytes(said.rootHash), proof });
}

/** What of a plan goes with each task: its list of parties would be most of it. */
export function taskPlan(plan: RunPlan): TaskPlan {
  const { parties: _, ...rest } = plan;
  return rest;
}

function entryOf({ name, trainExamples, testExamples, contentHash }: PlannedParty): Uint8Array {
  return utf8ToBytes(canonicalJson({ name, trainExamples, testExamples, contentHash }));
}
