import { type Ring, ringFor, secAggParameters, type SecAggParameters } from "@ciphernx/crypto/secagg/parameters";
import type { EncodingSpec } from "../aggregation/index.ts";
import type { RunSpec } from "./run-spec.ts";

/** How a run's updates are hidden from the coordinator. */
export interface PlannedProtection extends Pick<SecAggParameters, "graph" | "holders" | "threshold" | "corrupt" | "leastSurvivors"> {
  readonly kind: "secagg";
  /** Fewest organisations in a sum. */
  readonly kMin: number;
  /** Assumed fraction of parties that collude with the coordinator. */
  readonly corruption: number;
  /** Assumed fraction of parties that drop out once keys are exchanged. */
  readonly dropout: number;
  /** Whether held-out metrics of a round's model are coordinates of the next round's updates, not a sum of their own. */
  readonly metricsRide: boolean;
  /** Bits of a masked coordinate: sums of all parties' do not wrap around. */
  readonly bits: number;
}

/**
 * What the plan has of the spec's protection, for a round of `size` out of `parties`; undefined when there is none. Fewer parties than `size` have parameters of their own,
 * by the same rule. Pure: the coordinator, and each node that checks it, give the same.
 * @throws RangeError saying why nothing protects such a run
 */
export function planProtection(
  { protection, evaluate }: Pick<RunSpec, "protection" | "evaluate">,
  {
    encoding,
    parties,
    size,
    isJudgedByAll,
  }: {
    readonly encoding: Pick<EncodingSpec, "bits">;
    readonly parties: number;
    readonly size: number;
    /** Whether every party holds out rows: only then no sum of updates has the metrics of fewer parties than updates. */
    readonly isJudgedByAll: boolean;
  },
): PlannedProtection | undefined {
  if (protection.kind === "none") return undefined;
  const { kMin, corruption, dropout } = protection;
  const { graph, holders, threshold, corrupt, leastSurvivors } = secAggParameters(size, { corruption, dropout });
  const { bits } = sumRing(encoding, parties);
  return {
    kind: "secagg",
    kMin,
    corruption,
    dropout,
    metricsRide: evaluate.every > 0 && isJudgedByAll,
    bits,
    graph,
    holders,
    threshold,
    corrupt,
    leastSurvivors,
  };
}

/** The ring in which the updates of so many parties are added. @throws RangeError when none is large enough */
export function sumRing({ bits }: Pick<EncodingSpec, "bits">, parties: number): Ring {
  return ringFor(2 ** (bits - 1) - 1, parties);
}
