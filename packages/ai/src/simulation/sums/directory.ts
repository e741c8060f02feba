import type { Directory } from "@ciphernx/crypto/secagg";

/** Who simulated parties are to each other: nobody vouches for them, and each stands for an organisation of its own. */
export function simulatedDirectory(size: number, identityKeyOf: (party: number) => Uint8Array | undefined): Directory {
  return {
    size,
    of(party) {
      const key = identityKeyOf(party);
      return key && { key, organisation: String(party) };
    },
  };
}
