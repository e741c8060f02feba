import type { Metric, MetricTask } from "./metric.ts";
import { metricsNamed } from "./registry.ts";

/** Sums by name, as they are uploaded and added. */
export type NamedSums = Readonly<Record<string, number>>;

/** Names of the sums that metrics are worked out of, in the order in which they are uploaded. */
export function metricSumNames(names: readonly string[], task: MetricTask): readonly string[] {
  return metricsNamed(names).flatMap((metric) => metric.sums(task));
}

/**
 * What metrics come to, by name; one that the sums do not tell is left out (the AUC of rows of one class).
 * @param weight examples that the sums are of
 */
export function metricValues(names: readonly string[], sums: NamedSums, weight: number, task: MetricTask): Readonly<Record<string, number>> {
  return Object.fromEntries(
    metricsNamed(names).flatMap((metric) => {
      const value = metric.value(sumsOf(metric, sums, task), weight, task);
      return value === undefined ? [] : [[metric.name, value] as const];
    }),
  );
}

/** What is missing from sums, or what no `weight` rows could have given, as a sentence. */
export function contradictoryMetric(names: readonly string[], sums: NamedSums, weight: number, task: MetricTask): string | undefined {
  for (const metric of metricsNamed(names)) {
    const lacking = metric.sums(task).find((name) => !Number.isFinite(sums[name]));
    if (lacking !== undefined) return `Its sum "${lacking}" is ${sums[lacking] === undefined ? "missing" : String(sums[lacking])}.`;
    const wrong = metric.contradiction(sumsOf(metric, sums, task), weight, task);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function sumsOf(metric: Metric, sums: NamedSums, task: MetricTask): Float64Array {
  return Float64Array.from(metric.sums(task), (name) => sums[name] ?? Number.NaN);
}
