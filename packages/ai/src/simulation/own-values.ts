import type { PhaseKind } from "../federation/round/run-round.ts";
import type { OwnValues } from "./worker-messages.ts";

/** What every party keeps to itself from round to round, in memory that the workers share. */
export interface KeptByParties {
  /** Where each of these parties finds its values in a phase, and where a fit leaves new ones. */
  of(phase: PhaseKind, parties: readonly string[]): { readonly own: readonly OwnValues[] };
  /** Takes over what the last fits of these parties left; what others left is forgotten. */
  take(accepted: readonly string[]): void;
}

/** @param sizeBytes of one party's values; a party that never fits has none */
export function createOwnValues(sizeBytes: number): KeptByParties {
  const kept = new Map<string, SharedArrayBuffer>();
  const left = new Map<string, SharedArrayBuffer>();
  const free: SharedArrayBuffer[] = [];

  function release(): void {
    free.push(...left.values());
    left.clear();
  }

  return {
    of(phase, parties) {
      if (phase === "fit") {
        release();
        for (const party of parties) left.set(party, free.pop() ?? new SharedArrayBuffer(sizeBytes));
      }
      const own = parties.map((party): OwnValues => {
        const before = kept.get(party);
        const after = phase === "fit" ? left.get(party) : undefined;
        return { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
      });
      return { own };
    },
    take(accepted) {
      for (const party of accepted) {
        const taken = left.get(party);
        if (taken === undefined) continue;
        const old = kept.get(party);
        if (old !== undefined) free.push(old);
        kept.set(party, taken);
        left.delete(party);
      }
      release();
    },
  };
}
