export { evaluateMetrics } from "./evaluate-metrics.ts";
export { contradictoryMetric, metricSumNames, metricValues, type NamedSums } from "./metric-sums.ts";
export { metricSubjects } from "./metric-subjects.ts";
export { metricTask } from "./metric-task.ts";
export type { JudgedExamples, Metric, MetricTask } from "./metric.ts";
export { findMetric, METRICS } from "./registry.ts";
export { createTally, type MetricTally } from "./tally.ts";
