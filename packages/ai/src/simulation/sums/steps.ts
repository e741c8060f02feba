import type {
  AddressedShares,
  Advertisement,
  CohortAnnouncement,
  Inbox,
  ProvenAdvertisement,
  RevealedShare,
  SumRules,
  SurvivorSignature,
} from "@ciphernx/crypto/secagg";
import type { Ring } from "@ciphernx/crypto/secagg/parameters";

/** Keys of a party, and the identity that signed them: a fresh one for each sum, which is all that others know of a simulated party. */
export interface Introduction {
  readonly identityKey: Uint8Array;
  readonly advertisement: Advertisement;
}

/** The cohort, and whose identity key is whose. */
export interface Gathering extends CohortAnnouncement {
  readonly identityKeys: ReadonlyMap<number, Uint8Array>;
}

/** What a party is given in each step of a protected sum, and what it hands in. */
export interface SumSteps {
  readonly advertise: { readonly takes: undefined; readonly gives: Introduction };
  readonly enrol: { readonly takes: Gathering; readonly gives: readonly number[] };
  readonly deal: { readonly takes: readonly ProvenAdvertisement[]; readonly gives: readonly AddressedShares[] };
  readonly mask: { readonly takes: Inbox; readonly gives: Uint8Array<ArrayBuffer> };
  readonly agree: { readonly takes: Uint8Array; readonly gives: SurvivorSignature };
  readonly unmask: { readonly takes: readonly SurvivorSignature[]; readonly gives: readonly RevealedShare[] };
}

export type SumStep = keyof SumSteps;

/** What every party knows of the sum that it is in. */
export interface SumTerms {
  /** Of `attemptContext`. */
  readonly context: Uint8Array;
  /** Length of the plan's list. */
  readonly size: number;
  readonly rules: SumRules;
  readonly ring: Ring;
}
