import { NexusError } from "@ciphernx/core/errors";
import type { JudgedExamples, MetricTask } from "./metric.ts";
import type { NamedSums } from "./metric-sums.ts";
import { metricsNamed } from "./registry.ts";

/** What rounding to f32 may leave above 1. */
const TOLERANCE = 1e-6;

/** The sums of metrics over examples that come batch by batch; how they are cut into batches changes no bit. */
export interface MetricTally {
  /**
   * @param outputs probabilities, as many for each example
   * @param targets index of each example's class
   * @throws NexusError TRAINER_FAILED for an output that is no probability, USAGE where lengths or classes do not fit
   */
  add(outputs: ArrayLike<number>, targets: ArrayLike<number>): void;
  /** The sums so far. */
  sums(): NamedSums;
  /** Examples so far. */
  readonly weight: number;
}

/** @throws NexusError SPEC_INVALID for a metric that is not known, USAGE for one that says nothing about the task */
export function createTally(names: readonly string[], task: MetricTask): MetricTally {
  const parts = metricsNamed(names).map((metric) => {
    const unfit = metric.check(task);
    if (unfit !== undefined) throw new NexusError("USAGE", unfit);
    const sumNames = metric.sums(task);
    return { metric, sumNames, sums: new Float64Array(sumNames.length) };
  });
  let weight = 0;
  return {
    add(outputs, targets) {
      const examples = checked(outputs, targets, task, weight);
      for (const { metric, sums } of parts) metric.add(examples, sums, task);
      weight += examples.count;
    },
    sums: () => Object.fromEntries(parts.flatMap(({ sumNames, sums }) => sumNames.map((name, index) => [name, sums[index]!] as const))),
    get weight() {
      return weight;
    },
  };
}

function checked(outputs: ArrayLike<number>, targets: ArrayLike<number>, { classes = 0 }: MetricTask, before: number): JudgedExamples {
  const count = targets.length;
  const width = count === 0 ? 1 : outputs.length / count;
  if (!Number.isInteger(width) || (width === 1 ? classes !== 2 : width < classes)) {
    throw new NexusError("USAGE", `${outputs.length} outputs for ${count} examples are no probabilities of ${classes} classes.`);
  }
  for (let at = 0; at < outputs.length; at += 1) {
    const output = outputs[at]!;
    if (output >= 0 && output <= 1 + TOLERANCE) continue;
    throw new NexusError("TRAINER_FAILED", `The model gives ${output} for example ${before + Math.floor(at / width)}, which is no probability.`, {
      hint: "The training diverged: lower the learning rate, or look for values in the data that are not finite.",
    });
  }
  for (let row = 0; row < count; row += 1) {
    const label = targets[row]!;
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new NexusError("USAGE", `The label of example ${before + row} is ${label}; there are ${classes} classes, from 0.`);
    }
  }
  return { outputs, width, targets, count };
}
