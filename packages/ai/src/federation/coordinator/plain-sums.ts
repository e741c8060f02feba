import type { BlobStore } from "@ciphernx/core/blobs";
import { type AggregationKernel, sumExtras, type SumTile, sumUpdates, type UpdateExtras, updateFileSource } from "../../aggregation/index.ts";
import type { RunPlan } from "../../spec/index.ts";
import type { PhaseKind } from "../round/run-round.ts";
import { uploadLayout } from "../round/upload-layout.ts";
import type { AcceptedBlob } from "./aggregate.ts";

/** The sums of a phase's updates, however they come about. */
export interface PhaseSums {
  /** Sums of weights and metrics. */
  extras(): Promise<UpdateExtras>;
  /** Sums of a run of coordinates, tile by tile. */
  tiles(range: { readonly start: number; readonly length: number; readonly tileLength: number }): AsyncIterableIterator<SumTile>;
}

export interface PlainSumsOptions {
  readonly kernel: AggregationKernel;
  readonly blobs: BlobStore;
  readonly plan: RunPlan;
  readonly kind: PhaseKind;
  readonly accepted: readonly AcceptedBlob[];
}

/** Sums of updates that the coordinator sees. */
export function plainSums({ kernel, blobs, plan, kind, accepted }: PlainSumsOptions): PhaseSums {
  const layout = uploadLayout(plan, kind);
  const sources = accepted.map(({ party, hash }) =>
    updateFileSource(party, layout, (offset, length, into) => blobs.read(hash, offset, length, into)),
  );
  return {
    extras: () => sumExtras({ kernel, layout, sources }),
    tiles: (range) => sumUpdates({ kernel, sources, dtype: layout.dtype, ...range }),
  };
}
