/**
 * What the coordinator checks of the parties' messages before it passes them on: an honest one, so that a party that deviates is named and left out
 * instead of spoiling the sum for all. Nobody's privacy rests on it.
 *
 * @module
 */
import { type Advertisement, isAdvertised } from "./messages/advertisement.ts";
import { SEALED_BYTES } from "./messages/share.ts";
import { hasSigned, type SurvivorList, type SurvivorSignature } from "./messages/survivors.ts";
import type { AddressedShares } from "./participant.ts";
import type { SecAggPrimitives } from "./primitives.ts";
import { type Directory, entryOf } from "./rules.ts";
import { SecAggViolation } from "./violation.ts";

/** Bytes of HPKE's encapsulated key. */
const ENC_BYTES = 32;

/** @throws SecAggViolation party-unknown, signature-invalid; malformed for a mask key that everybody can guess */
export async function checkAdvertisement(
  context: Uint8Array,
  ad: Advertisement,
  directory: Directory,
  primitives: Pick<SecAggPrimitives, "fromSecret" | "randomBytes" | "agree">,
): Promise<void> {
  if (!(await isAdvertised(context, ad, entryOf(directory, ad.party).key))) {
    throw new SecAggViolation("signature-invalid", `Party ${ad.party} did not sign these keys for this attempt.`, ad.party);
  }
  const secret = primitives.randomBytes(32);
  const probe = await primitives.fromSecret(secret);
  secret.fill(0);
  for (const key of [ad.maskKey, ad.shareKey]) {
    if ((await primitives.agree(probe, key)) !== undefined) continue;
    throw new SecAggViolation("malformed", `Party ${ad.party} advertised a key of small order.`, ad.party);
  }
}

/** Whether a dealer dealt to everybody who holds its shares, once. @throws SecAggViolation malformed */
export function checkDealing(dealer: number, shares: readonly AddressedShares[], holders: ReadonlySet<number>): void {
  const dealt = new Set(shares.map(({ holder }) => holder));
  const wanted = holders.has(dealer) ? holders.size - 1 : holders.size;
  const fits =
    dealt.size === shares.length &&
    shares.length === wanted &&
    shares.every(
      ({ holder, enc, ciphertext }) => holder !== dealer && holders.has(holder) && enc.length === ENC_BYTES && ciphertext.length === SEALED_BYTES,
    );
  if (!fits) throw new SecAggViolation("malformed", `Party ${dealer} did not deal one pair of shares to each of its ${wanted} holders.`, dealer);
}

/** @throws SecAggViolation signature-invalid */
export async function checkAgreement(context: Uint8Array, list: SurvivorList, signed: SurvivorSignature, directory: Directory): Promise<void> {
  if (await hasSigned(context, list, signed, entryOf(directory, signed.party).key)) return;
  throw new SecAggViolation("signature-invalid", `Party ${signed.party} did not sign this list of survivors.`, signed.party);
}
