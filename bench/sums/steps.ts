import type {
  AddressedShares,
  Advertisement,
  CohortAnnouncement,
  Inbox,
  ProvenAdvertisement,
  RevealedShare,
  SurvivorSignature,
} from "@ciphernx/crypto/secagg";

/** What a party is given in each step, and what it hands in. */
export interface Steps {
  readonly advertise: { readonly takes: undefined; readonly gives: Advertisement };
  readonly enrol: { readonly takes: CohortAnnouncement; readonly gives: readonly number[] };
  readonly deal: { readonly takes: readonly ProvenAdvertisement[]; readonly gives: readonly AddressedShares[] };
  readonly mask: { readonly takes: Inbox; readonly gives: Uint8Array<ArrayBuffer> };
  readonly agree: { readonly takes: Uint8Array; readonly gives: SurvivorSignature };
  readonly unmask: { readonly takes: readonly SurvivorSignature[]; readonly gives: readonly RevealedShare[] };
}

export type Step = keyof Steps;

/** A thread's parties, and the rules of the sum. */
export interface PartiesSetup {
  readonly own: readonly number[];
  /** Of all. */
  readonly parties: number;
  readonly parameters: number;
  readonly assumptions: { readonly corruption: number; readonly dropout: number };
}

/** To a thread: the roster first, then one batch after the other. */
export type PartiesRequest =
  | { readonly kind: "roster"; readonly keys: readonly Uint8Array[] }
  | { readonly kind: "step"; readonly id: number; readonly step: Step; readonly inputs: ReadonlyMap<number, unknown> };

/** From a thread: its parties' identity keys, then the outcome of each batch. */
export type PartiesAnswer =
  | { readonly kind: "keys"; readonly keys: ReadonlyMap<number, Uint8Array> }
  | { readonly kind: "step"; readonly id: number; readonly outputs: ReadonlyMap<number, unknown> };

/** Who belongs to whom: the roster says so to parties and coordinator alike. */
export function organisationOf(party: number): string {
  return `org-${party % 50}`;
}
