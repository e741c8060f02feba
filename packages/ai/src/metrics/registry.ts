import { NexusError } from "@ciphernx/core/errors";
import { auc } from "./auc.ts";
import { calibration } from "./calibration.ts";
import { f1 } from "./f1.ts";
import type { Metric } from "./metric.ts";

/** Every metric that is worked out of sums; adding one is its file and its line here. */
export const METRICS: readonly Metric[] = [auc, f1, calibration];

/** The metric of a name, or undefined: then it is a plain sum of the trainer, of which the mean is shown. */
export function findMetric(name: string): Metric | undefined {
  return METRICS.find((metric) => metric.name === name);
}

/** @throws NexusError SPEC_INVALID for a name that this build does not know */
export function metricsNamed(names: readonly string[]): readonly Metric[] {
  return names.map((name) => {
    const metric = findMetric(name);
    if (metric === undefined) {
      throw new NexusError("SPEC_INVALID", `There is no metric "${name}"; there are ${METRICS.map((one) => one.name).join(", ")}.`);
    }
    return metric;
  });
}
