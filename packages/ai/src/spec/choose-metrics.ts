import { plural } from "@ciphernx/core/errors";
import type { Refusal } from "@ciphernx/core/spec";
import type { RowSchema } from "../data/index.ts";
import { findMetric, METRICS, type MetricTask, metricTask } from "../metrics/index.ts";
import { learningTask, type ModelShape } from "../models/index.ts";
import type { RunSpec } from "./run-spec.ts";

/** The sums that the built-in networks report, while training and on held-out rows. */
const NETWORK_SUMS: readonly string[] = ["loss", "correct"];

/** What a run is judged by. */
export interface ChosenMetrics {
  /** Sums that a fit and an evaluation report; their means are shown. How many are judged correctly is left out of a regression. */
  readonly reported: readonly string[];
  /** Metrics that are worked out of sums of their own, on held-out rows. */
  readonly heldOut: readonly string[];
}

/**
 * Which of the spec's metrics are means and which are worked out. One that nobody reports would fail every party, and one that says nothing
 * about the labels would never be seen; trainers of the parties' own name sums of their own.
 * @param shape undefined when the model is refused
 */
export function chooseMetrics(spec: RunSpec, schema: RowSchema, shape: ModelShape | undefined, refusals: Refusal[]): ChosenMetrics {
  const { metrics } = spec.evaluate;
  if (spec.model.kind === "tensors") return { reported: metrics, heldOut: [] };
  const heldOut = metrics.filter((name) => findMetric(name) !== undefined);
  const unknown = metrics.filter((name) => !NETWORK_SUMS.includes(name) && !heldOut.includes(name));
  const task = shape === undefined ? taskOf(spec, schema) : metricTask(schema, shape.network);
  const unfit = heldOut.flatMap((name) => {
    const reason = task && findMetric(name)?.check(task);
    return reason === undefined ? [] : [{ name, reason }];
  });
  const left = metrics.filter((name) => !unknown.includes(name) && !unfit.some((one) => one.name === name));
  const edits = [{ path: "evaluate.metrics", value: left }];
  if (unknown.length > 0) {
    refusals.push({
      path: "evaluate.metrics",
      reason: `The built-in networks report ${NETWORK_SUMS.join(" and ")}, and ${METRICS.map(({ name }) => name).join(", ")} are worked out on held-out rows; there is no ${unknown.join(", ")}.`,
      remedy: "Leave it out, or use a model of kind tensors with a trainer of your own.",
      edits,
    });
  }
  if (unfit.length > 0) {
    refusals.push({
      path: "evaluate.metrics",
      reason: `${plural(unfit.length, "metric says", "metrics say")} nothing about this data: ${unfit.map(({ reason }) => reason).join(" ")}`,
      remedy: "Leave out what does not fit.",
      edits,
    });
  }
  // In the default for every task; of numbers none is ever right.
  const isRegression = task !== undefined && task.classes === undefined;
  return { reported: metrics.filter((name) => !heldOut.includes(name) && !(isRegression && name === "correct")), heldOut };
}

/** What a model that is refused would be judged by once it is mended: a loss that does not fit gives way to that of the data. */
function taskOf({ model }: RunSpec, schema: RowSchema): MetricTask | undefined {
  const own = learningTask(schema);
  if (own === undefined) return undefined;
  const asked = "loss" in model ? model.loss : undefined;
  return metricTask(schema, { loss: asked === "mse" && own.outputs === 2 ? asked : own.loss });
}
