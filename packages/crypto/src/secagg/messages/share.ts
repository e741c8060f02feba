/**
 * A dealer's two shares for one holder: of the seed of its own mask, and of the secret of its mask key. They travel sealed (HPKE, sender
 * authenticated, RFC 9180 §5.1.3) and carry the dealer's signature, so that whoever is shown one later knows who dealt it. The signature covers
 * the hashes of both: a holder gives away one share and the hash of the other.
 *
 * @module
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { TAG_BYTES } from "../../hpke/index.ts";
import { canonicalBytes, sign, SIGNATURE_BYTES, type SigningKey, verify } from "../../keys/index.ts";

/** Bytes of a share of 32 bytes: 16 elements of GF(65537), three bytes each. */
export const SHARE_BYTES = 48;

/** Bytes of a sealed pair of shares. */
export const SEALED_BYTES = 2 * SHARE_BYTES + SIGNATURE_BYTES + TAG_BYTES;

/** What a dealer gives one holder. */
export interface DealtShares {
  readonly seedShare: Uint8Array;
  readonly keyShare: Uint8Array;
  /** The dealer's. */
  readonly signature: Uint8Array;
}

/** Shares on their way: only the holder can open them, and knows from whom they are. */
export interface SealedShares {
  /** Encapsulated key, 32 bytes. */
  readonly enc: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** seed: of a survivor's own mask; key: of the mask key of who dropped out. Nobody ever gives both of one dealer. */
export type ShareKind = "seed" | "key";

/** One share as a holder gives it away. */
export interface RevealedShare {
  readonly dealer: number;
  readonly kind: ShareKind;
  readonly share: Uint8Array;
  /** SHA-256 of the dealer's other share, which stays. */
  readonly otherHash: Uint8Array;
  /** The dealer's signature. */
  readonly signature: Uint8Array;
}

/** HPKE's info. */
export const SHARE_INFO = new TextEncoder().encode("ciphernx.secagg.v1/share");

/** What sealed shares are bound to besides the two keys. */
export function shareAad(context: Uint8Array, dealer: number, holder: number): Uint8Array<ArrayBuffer> {
  return canonicalBytes("ciphernx.secagg.v1/sealed", [context, BigInt(dealer), BigInt(holder)]);
}

export async function signShares(
  context: Uint8Array,
  { dealer, holder }: { readonly dealer: number; readonly holder: number },
  { seedShare, keyShare }: Omit<DealtShares, "signature">,
  identity: SigningKey,
): Promise<DealtShares> {
  const signature = await sign(identity, sharesBytes(context, dealer, holder, sha256(seedShare), sha256(keyShare)));
  return { seedShare, keyShare, signature };
}

/** Whether the dealer with that key dealt these to that holder. */
export async function areDealt(context: Uint8Array, dealer: number, holder: number, dealt: DealtShares, dealerKey: Uint8Array): Promise<boolean> {
  const { seedShare, keyShare, signature } = dealt;
  return verify(dealerKey, sharesBytes(context, dealer, holder, sha256(seedShare), sha256(keyShare)), signature);
}

/** One of the shares, to be given away. */
export function reveal(dealer: number, kind: ShareKind, { seedShare, keyShare, signature }: DealtShares): RevealedShare {
  const [share, other] = kind === "seed" ? [seedShare, keyShare] : [keyShare, seedShare];
  return { dealer, kind, share: Uint8Array.from(share), otherHash: sha256(other), signature };
}

/** Whether the dealer with that key dealt the share to that holder. */
export async function isRevealed(context: Uint8Array, holder: number, revealed: RevealedShare, dealerKey: Uint8Array): Promise<boolean> {
  const own = sha256(revealed.share);
  const [seedHash, keyHash] = revealed.kind === "seed" ? [own, revealed.otherHash] : [revealed.otherHash, own];
  return verify(dealerKey, sharesBytes(context, revealed.dealer, holder, seedHash, keyHash), revealed.signature);
}

/** The plaintext that is sealed: seed share, key share, signature. */
export function packShares({ seedShare, keyShare, signature }: DealtShares): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(2 * SHARE_BYTES + SIGNATURE_BYTES);
  packed.set(seedShare);
  packed.set(keyShare, SHARE_BYTES);
  packed.set(signature, 2 * SHARE_BYTES);
  return packed;
}

/** The shares of a plaintext; undefined when it has another length. They are copies. */
export function unpackShares(packed: Uint8Array): DealtShares | undefined {
  if (packed.length !== 2 * SHARE_BYTES + SIGNATURE_BYTES) return undefined;
  return {
    seedShare: packed.slice(0, SHARE_BYTES),
    keyShare: packed.slice(SHARE_BYTES, 2 * SHARE_BYTES),
    signature: packed.slice(2 * SHARE_BYTES),
  };
}

function sharesBytes(context: Uint8Array, dealer: number, holder: number, seedHash: Uint8Array, keyHash: Uint8Array): Uint8Array<ArrayBuffer> {
  return canonicalBytes("ciphernx.secagg.v1/share", [context, BigInt(dealer), BigInt(holder), seedHash, keyHash]);
}
