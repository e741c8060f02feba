/** Messages of a protected sum, between what the protocol has and what the wire has. @module */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AddressedShares, Advertisement, ProvenAdvertisement, ReceivedShares, RevealedShare } from "@ciphernx/crypto/secagg";
import type { KeyAdvertisement, KeyAdvertisementSchema, RevealedShare as RevealedShareMessage, SealedShares } from "@ciphernx/protocol/proto";

export function keysMessage(ad: Advertisement, proof: readonly Uint8Array[] = []): MessageInitShape<typeof KeyAdvertisementSchema> {
  const { party, maskKey, shareKey, seedCommitment, signature } = ad;
  return { party, maskKey, shareKey, seedCommitment, signature, proof: [...proof] };
}

export function keysOf({ party, maskKey, shareKey, seedCommitment, signature, proof }: KeyAdvertisement): ProvenAdvertisement {
  return { party, maskKey, shareKey, seedCommitment, signature, proof };
}

/** Shares as their dealer hands them in. */
export function dealtMessage({ holder, enc, ciphertext }: AddressedShares) {
  return { party: holder, enc, ciphertext };
}

export function dealtShares({ party, enc, ciphertext }: SealedShares): AddressedShares {
  return { holder: party, enc, ciphertext };
}

/** Shares as their holder is given them. */
export function receivedShares({ party, enc, ciphertext }: SealedShares): ReceivedShares {
  return { dealer: party, enc, ciphertext };
}

export function revealedMessage({ dealer, kind, share, otherHash, signature }: RevealedShare) {
  return { dealer, isOfKey: kind === "key", share, otherHash, signature };
}

export function revealedShare({ dealer, isOfKey, share, otherHash, signature }: RevealedShareMessage): RevealedShare {
  return { dealer, kind: isOfKey ? "key" : "seed", share, otherHash, signature };
}
