import { type AggregationKernel, type CoordinateVector, encodeUpdate } from "../../aggregation/index.ts";
import { randomStream } from "../../random/index.ts";
import type { PhaseKind } from "../round/run-round.ts";
import { uploadLayout } from "../round/upload-layout.ts";
import type { TrainingTask } from "../../training/index.ts";
import type { Update } from "./fit.ts";

/** An update as the integers that are uploaded: × bounded weight, clip, round, with the sums behind the parameters. */
export function encode(
  kernel: AggregationKernel,
  task: Pick<TrainingTask, "spec" | "plan" | "party" | "round">,
  kind: PhaseKind,
  update: Pick<Update, "delta" | "weight" | "metrics" | "heldOutSums">,
  into?: CoordinateVector,
): CoordinateVector {
  const { spec, plan, party, round } = task;
  const { vector } = encodeUpdate({
    kernel,
    delta: update.delta,
    weight: update.weight,
    metrics: update.heldOutSums === undefined ? update.metrics : { ...update.metrics, ...update.heldOutSums },
    encoding: plan.encoding,
    metricNames: uploadLayout(plan, kind).metricNames,
    ...(into === undefined ? {} : { into }),
    random: randomStream(spec.seed, "rounding", party, round),
  });
  return vector;
}
