/**
 * A party's keys for one attempt, as it signs them, and the list of all that the coordinator commits to by a Merkle root (Bell et al. 2020, §4.3):
 * whoever knows the root cannot be shown other keys of anybody later.
 *
 * @module
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { canonicalBytes, sign, type SigningKey, verify } from "../../keys/index.ts";
import { isIncluded, merkleTree } from "../../merkle/index.ts";

/** Keys of one party for one attempt. */
export interface Advertisement {
  /** Place of the party in the plan's list. */
  readonly party: number;
  /** X25519 public key that masks are agreed with, 32 bytes: fresh for the attempt. */
  readonly maskKey: Uint8Array;
  /** X25519 public key that shares are sealed for and by, 32 bytes: it may live for the run. */
  readonly shareKey: Uint8Array;
  /** SHA-256 that commits to the seed of the party's own mask, 32 bytes. */
  readonly seedCommitment: Uint8Array;
  /** Ed25519 by the party's identity key, 64 bytes. */
  readonly signature: Uint8Array;
}

const KEY_BYTES = 32;

/** What a party signs. */
export function advertisementBytes(context: Uint8Array, ad: Omit<Advertisement, "signature">): Uint8Array<ArrayBuffer> {
  return canonicalBytes("ciphernx.secagg.v1/advertisement", [context, BigInt(ad.party), ad.maskKey, ad.shareKey, ad.seedCommitment]);
}

/** What commits to a seed of 256 bits: it hides the seed, and nobody finds another with the same commitment. */
export function seedCommitment(context: Uint8Array, party: number, seed: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(sha256(canonicalBytes("ciphernx.secagg.v1/seed", [context, BigInt(party), seed])));
}

export async function signAdvertisement(context: Uint8Array, ad: Omit<Advertisement, "signature">, identity: SigningKey): Promise<Advertisement> {
  return { ...ad, signature: await sign(identity, advertisementBytes(context, ad)) };
}

/** Whether that key signed these keys for this attempt. False for keys of another form. */
export async function isAdvertised(context: Uint8Array, ad: Advertisement, identityKey: Uint8Array): Promise<boolean> {
  if (ad.maskKey.length !== KEY_BYTES || ad.shareKey.length !== KEY_BYTES || ad.seedCommitment.length !== KEY_BYTES) return false;
  return verify(identityKey, advertisementBytes(context, ad), ad.signature);
}

/** An advertisement with the hashes that show it in the cohort (RFC 9162 §2.1.3), lowest first. */
export interface ProvenAdvertisement extends Advertisement {
  readonly proof: readonly Uint8Array[];
}

/** Everybody who advertised keys, in the order of their places. */
export interface Cohort {
  readonly root: Uint8Array;
  readonly advertisements: readonly Advertisement[];
  /** The advertisement of a party, proven; undefined for who is not in the cohort. */
  proven(party: number): ProvenAdvertisement | undefined;
}

/** The cohort of these advertisements. @throws RangeError when two are of one party */
export function cohortOf(advertisements: readonly Advertisement[]): Cohort {
  const sorted = advertisements.toSorted((a, b) => a.party - b.party);
  const rankOf = new Map(sorted.map(({ party }, rank) => [party, rank]));
  if (rankOf.size !== sorted.length) throw new RangeError("Two advertisements are of one party.");
  const tree = merkleTree(sorted.map(advertisementEntry));
  return {
    root: tree.root,
    advertisements: sorted,
    proven(party) {
      const rank = rankOf.get(party);
      return rank === undefined ? undefined : { ...sorted[rank]!, proof: tree.proof(rank) };
    },
  };
}

/** Whether a cohort of that root and size has these keys in that place. */
export function isInCohort(ad: ProvenAdvertisement, rank: number, size: number, root: Uint8Array): boolean {
  return isIncluded({ entry: advertisementEntry(ad), index: rank, size, root, proof: ad.proof });
}

/** What the root is made of. */
export function advertisementEntry(ad: Omit<Advertisement, "signature">): Uint8Array {
  return canonicalBytes("ciphernx.secagg.v1/member", [BigInt(ad.party), ad.maskKey, ad.shareKey, ad.seedCommitment]);
}
