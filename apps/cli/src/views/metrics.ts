import { formatShare } from "../output/index.ts";
import { inMetricOrder } from "../runs/metric-order.ts";

/** Figures by name, as they came over the wire. */
type Metrics = Readonly<Record<string, unknown>>;

/** A round's figures by where they were measured; what a model did on rows that it learnt from says nothing of others, so the two never stand for each other. */
export interface RoundMetrics {
  readonly training: Metrics;
  /** Undefined in a round after which the model was not judged. */
  readonly heldOut: Metrics | undefined;
}

export function roundMetrics(round: unknown): RoundMetrics {
  const { fit, evaluated } = record(round);
  return { training: inOrder(record(fit)), heldOut: evaluated === null || evaluated === undefined ? undefined : inOrder(record(evaluated)) };
}

/** `94.31%` for accuracy, four decimals for what has no unit. */
export function formatMetric(name: string, value: unknown): string {
  if (typeof value !== "number") return typeof value === "string" ? value : "-";
  return name === "accuracy" ? formatShare(value) : value.toFixed(4);
}

/** `f1 of class "ill"`: a metric with the classes that it is of, where a plan or card says so. */
export function metricTitle(name: string, subjects: unknown): string {
  const subject = record(subjects)[name];
  return typeof subject === "string" ? `${name} of ${subject}` : name;
}

function inOrder(metrics: Metrics): Metrics {
  return Object.fromEntries(inMetricOrder(Object.keys(metrics)).map((name) => [name, metrics[name]]));
}

function record(value: unknown): Metrics {
  return typeof value === "object" && value !== null ? (value as Metrics) : {};
}
