import { formatShare } from "../output/index.ts";
import { inMetricOrder } from "../runs/metric-order.ts";

/** Figures by name, as they came over the wire. */
type Metrics = Readonly<Record<string, unknown>>;

/** A round's figures: those on held-out rows where it has been judged on some, else those of training. */
export function roundMetrics(round: unknown): Metrics {
  const { fit, evaluated } = record(round);
  const metrics: Metrics = { ...record(fit), ...record(evaluated) };
  return Object.fromEntries(inMetricOrder(Object.keys(metrics)).map((name) => [name, metrics[name]]));
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

function record(value: unknown): Metrics {
  return typeof value === "object" && value !== null ? (value as Metrics) : {};
}
