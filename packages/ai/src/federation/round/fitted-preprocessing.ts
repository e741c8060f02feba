import { NexusError } from "@ciphernx/core/errors";
import type { UpdateExtras } from "../../aggregation/index.ts";
import { constantColumns, fitPreprocessing, type Preprocessing, preprocessingHash, statisticsLength } from "../../data/preprocess/index.ts";
import type { RunPlan } from "../../spec/index.ts";
import type { PreprocessingSummary } from "../events.ts";

/**
 * How rows become inputs, from the added statistics of the accepted parties: their weights are counts of rows, their sums those of the
 * plan's steps.
 * @throws NexusError DATA_INVALID when nobody knows a single cell of a column
 */
export function fittedPreprocessing({ preprocess, encoding }: Pick<RunPlan, "preprocess" | "encoding">, total: UpdateExtras): Preprocessing {
  if (preprocess === undefined) throw new NexusError("INTERNAL", "A run that prepares no rows has no statistics.");
  const sums = Array.from({ length: statisticsLength(preprocess.steps) }, (_, index) => total.metrics[index]!);
  return fitPreprocessing(preprocess.steps, sums, total.weight, encoding.maxWeight);
}

/** What the run's watchers are told of it. */
export function preprocessingSummary(plan: RunPlan, accepted: readonly string[], preprocessing: Preprocessing): PreprocessingSummary {
  const added = new Set(accepted);
  return {
    accepted: accepted.length,
    missed: plan.parties.map(({ name }) => name).filter((name) => !added.has(name)),
    rows: preprocessing.rows,
    columns: preprocessing.columns.length,
    constant: constantColumns(preprocessing),
    bytesUp: accepted.length * plan.preprocess!.statisticsBytes,
    preprocessingHash: preprocessingHash(preprocessing),
  };
}
