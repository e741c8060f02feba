import { findLabel } from "../data/dataset-schema.ts";
import type { RowSchema } from "../data/index.ts";
import type { MetricTask } from "./metric.ts";
import { findMetric } from "./registry.ts";

/**
 * Of which classes metrics are, in words, by name: a figure of one class says nothing of another, and which one it is of is a matter of the
 * schema's order. Metrics that are of all rows alike are left out.
 */
export function metricSubjects(names: readonly string[], schema: RowSchema, { classes }: MetricTask): Readonly<Record<string, string>> {
  if (classes === undefined) return {};
  const subject = classes === 2 ? `class ${className(schema, 1)}` : `${classes} classes, their mean`;
  return Object.fromEntries(names.filter((name) => findMetric(name)?.ofClasses === true).map((name) => [name, subject]));
}

/** A class as the schema names it, quoted; its number where it has no name. */
function className(schema: RowSchema, index: number): string {
  const label = schema.kind === "table" ? findLabel(schema) : undefined;
  return label?.type === "category" ? JSON.stringify(label.categories[index]) : String(index);
}
