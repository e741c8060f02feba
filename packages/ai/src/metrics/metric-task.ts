import { classCount, type RowSchema } from "../data/index.ts";
import type { NetworkSpec } from "../nn/index.ts";
import type { MetricTask } from "./metric.ts";

/** What metrics must know of a network on rows of a schema. A network that minimises squared errors gives numbers, also of two classes. */
export function metricTask(schema: RowSchema, network: Pick<NetworkSpec, "loss"> | undefined): MetricTask {
  const gives = schema.kind !== "opaque" && network !== undefined && network.loss !== "mse";
  return { classes: gives ? classCount(schema) : undefined };
}
