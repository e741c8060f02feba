import { packedBytes } from "@ciphernx/crypto/secagg/parameters";
import { statisticsLength } from "../../data/preprocess/index.ts";
import { COORDINATE_BYTES, updateFileHeader, vectorLayout, type VectorLayout } from "../../aggregation/index.ts";
import type { TaskPlan } from "../../spec/index.ts";
import { sharingOf } from "../../strategy/sharing.ts";
import { heldOutSumNames } from "./held-out-sums.ts";
import { ridingSumNames } from "./riding-metrics.ts";
import type { PhaseKind } from "./run-round.ts";

type Uploads = Pick<
  TaskPlan,
  "model" | "metricNames" | "strategySums" | "strategyVectors" | "encoding" | "protection" | "preprocess" | "heldOutMetrics" | "schema"
>;

/**
 * The layout of the vectors that answer a kind of task: a fit has the parameters that are shared and behind them the strategy's
 * vectors, and behind the sums of the metrics the strategy's and those of the base model; an evaluation is sums alone, also those of which metrics are
 * worked out on held-out rows; so are statistics.
 */
export function uploadLayout(plan: Uploads, kind: PhaseKind): VectorLayout {
  if (kind === "statistics") {
    // Counts and sums have their places for names.
    const sums = Array.from({ length: statisticsLength(plan.preprocess?.steps ?? []) }, (_, index) => String(index));
    return vectorLayout(0, sums, plan.encoding);
  }
  if (kind === "evaluate") return vectorLayout(0, [...plan.metricNames, ...heldOutSumNames(plan)], plan.encoding);
  const vectors = 1 + (plan.strategyVectors ?? []).length;
  const sums = [...plan.metricNames, ...(plan.strategySums ?? []), ...ridingSumNames(plan)];
  return vectorLayout(sharingOf(plan.model).length * vectors, sums, plan.encoding);
}

/** Size of the one file that may answer a kind of task. */
export function taskFileSizeBytes(plan: Uploads, kind: PhaseKind): number {
  const layout = uploadLayout(plan, kind);
  // Masked vectors are packed, and have no header: their length is the plan's.
  if (plan.protection !== undefined) return packedBytes(layout.length, plan.protection);
  return updateFileHeader(layout).length + layout.length * COORDINATE_BYTES[layout.dtype];
}

/** Bytes that a party receives for a task: the model, and with a fit the strategy's vectors from the second round on. */
export function downloadBytes(plan: Pick<TaskPlan, "model" | "stateBytes">, kind: PhaseKind, round: number): number {
  if (kind === "statistics") return 0;
  return plan.model.sizeBytes + (kind === "fit" && round > 1 ? (plan.stateBytes ?? 0) : 0);
}
