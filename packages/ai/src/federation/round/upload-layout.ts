import { vectorLayout, type VectorLayout } from "../../aggregation/index.ts";
import type { RunPlan } from "../../spec/index.ts";
import { sharingOf } from "../../strategy/sharing.ts";
import type { PhaseKind } from "./run-round.ts";

type Uploads = Pick<RunPlan, "model" | "metricNames" | "strategySums" | "strategyVectors" | "encoding">;

/**
 * The layout of the vectors that answer a kind of task: a fit has the parameters that are shared and behind them the strategy's
 * vectors, and the strategy's sums behind those of the metrics.
 */
export function uploadLayout(plan: Uploads, kind: PhaseKind): VectorLayout {
  if (kind === "evaluate") return vectorLayout(0, plan.metricNames, plan.encoding);
  const vectors = 1 + (plan.strategyVectors ?? []).length;
  return vectorLayout(sharingOf(plan.model).length * vectors, [...plan.metricNames, ...(plan.strategySums ?? [])], plan.encoding);
}

/** Bytes that a party receives for a task: the model, and with a fit the strategy's vectors from the second round on. */
export function downloadBytes(plan: Pick<RunPlan, "model" | "stateBytes">, kind: PhaseKind, round: number): number {
  return plan.model.sizeBytes + (kind === "fit" && round > 1 ? (plan.stateBytes ?? 0) : 0);
}
