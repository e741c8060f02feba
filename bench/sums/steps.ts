import type { Advertisement, CohortAnnouncement } from "@ciphernx/crypto/secagg";
import type { SumSteps } from "../../packages/ai/src/simulation/sums/steps.ts";

/** What a party is given in each step, and what it hands in: as in a simulation, but that everybody's identity is known beforehand. */
export interface Steps extends Omit<SumSteps, "advertise" | "enrol"> {
  readonly advertise: { readonly takes: undefined; readonly gives: Advertisement };
  readonly enrol: { readonly takes: CohortAnnouncement; readonly gives: readonly number[] };
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
