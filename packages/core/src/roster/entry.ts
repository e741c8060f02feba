/**
 * Entries of a roster: what is signed, and how they are linked. Another implementation can be written from this comment and the
 * vectors in `roster.vectors.ts`; signatures are Ed25519 (RFC 8032), hashes SHA-256.
 *
 * ```
 * signed = text "ciphernx.roster.v1/entry" ‖ list of          (encoded as `canonicalBytes` of `@ciphernx/crypto/keys` does)
 *     u64 version, text previous (empty in the first), text at, text act
 * act    = canonical JSON (RFC 8785: keys sorted, no white space)
 * hash   = SHA-256(signed)
 * ```
 *
 * The hash leaves the signatures out, so that two valid ones over the same entry make no fork. The project's id is in the first entry,
 * and every other is linked to it.
 *
 * @module
 */
import { canonicalBytes, sign, type SigningKey } from "@ciphernx/crypto/keys";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { canonicalJson } from "../spec/canonical-json.ts";
import type { RosterAct, RosterEntry } from "./acts.ts";
import type { RosterHead } from "./roster.ts";

type Unsigned = Omit<RosterEntry, "signatures">;

/** What the signatures of an entry are over. */
export function rosterEntryBytes({ version, previous, at, act }: Unsigned): Uint8Array<ArrayBuffer> {
  return canonicalBytes("ciphernx.roster.v1/entry", [BigInt(version), previous ?? "", at, canonicalJson(act)]);
}

/** Hash (hex) of an entry, which the next one names. */
export function rosterEntryHash(entry: Unsigned): string {
  return bytesToHex(sha256(rosterEntryBytes(entry)));
}

/**
 * The entry after a head, signed. Which keys have to sign is in the comments of `acts.ts`.
 * @param head undefined for the first entry
 * @param at ISO 8601, UTC
 */
export async function signRosterEntry(
  head: RosterHead | undefined,
  act: RosterAct,
  { keys, at }: { readonly keys: readonly SigningKey[]; readonly at: string },
): Promise<RosterEntry> {
  const unsigned: Unsigned = { version: (head?.version ?? 0) + 1, ...(head === undefined ? {} : { previous: head.hash }), at, act };
  const bytes = rosterEntryBytes(unsigned);
  const signatures = await Promise.all(keys.map(async (key) => ({ key: bytesToHex(key.publicKey), signature: bytesToHex(await sign(key, bytes)) })));
  return { ...unsigned, signatures };
}
