import { NexusError } from "@ciphernx/core/errors";
import { EXTRA_BITS, type VectorLayout } from "./encoding.ts";

/** What a vector, or a sum of vectors, says besides the parameters. */
export interface UpdateExtras {
  /** Examples. */
  readonly weight: number;
  /** Sums over those examples, in steps of 2^−20. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Parameter coordinates that were clipped. */
  readonly saturated: number;
}

/** Steps of a metric sum in 1. */
const METRIC_SCALE = 2 ** 20;
const BOUND = 2 ** EXTRA_BITS;

/** A metric sum as the integer that is uploaded: the nearest step of 2^−20, half to even. */
export function metricSteps(sum: number): number {
  const scaled = sum * METRIC_SCALE;
  const rounded = Math.round(scaled);
  return Math.abs(scaled % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/**
 * The extra coordinates: weight, metrics in the layout's order, saturated count; each in signed limbs, least significant
 * first. Limbs are linear: added over parties and put together afterwards they give the sum of the values.
 * @throws NexusError UPDATE_REJECTED for a missing, undeclared, non-finite or too large metric, or a weight that is not a whole number.
 */
export function encodeExtras({ weight, metrics, saturated }: UpdateExtras, layout: VectorLayout): Int16Array {
  if (!Number.isSafeInteger(weight) || weight < 0) throw reject(`The weight ${weight} is not a whole number of examples.`);
  const known = new Set(layout.metricNames);
  for (const name of Object.keys(metrics)) {
    if (!known.has(name)) {
      throw reject(
        `The metric "${name}" is not one of the run's: ${layout.metricNames.join(", ") || "it has none"}.`,
        "List it under evaluate.metrics in the run spec, or do not report it.",
      );
    }
  }
  const values = layout.metricNames.map((name) => {
    const sum = Object.hasOwn(metrics, name) ? metrics[name] : undefined;
    if (sum === undefined)
      throw reject(`The metric "${name}" of the run is missing.`, "The trainer returns every metric that the run spec lists under evaluate.metrics.");
    const steps = metricSteps(sum);
    if (!(Math.abs(steps) < BOUND)) throw reject(`The metric "${name}" is ${sum}; its sum must be finite and below 2^${EXTRA_BITS - 20}.`);
    return steps;
  });
  const out = new Int16Array(layout.extras);
  for (const [index, value] of [weight, ...values, saturated].entries()) splitIntoLimbs(value, layout, out.subarray(index * layout.limbs));
  return out;
}

/**
 * Puts the extra coordinates of one vector, or of a sum of vectors, together again.
 * The integers are exact whatever their size; a metric is rounded once, to the nearest f64.
 */
export function decodeExtras(tail: BigInt64Array | CoordinateTail, layout: VectorLayout): UpdateExtras {
  if (tail.length !== layout.extras) throw new RangeError(`The extra coordinates are ${layout.extras}, not ${tail.length}.`);
  const value = (index: number): bigint => {
    let total = 0n;
    for (let limb = layout.limbs - 1; limb >= 0; limb -= 1)
      total = total * 2n ** BigInt(layout.limbBits) + BigInt(tail[index * layout.limbs + limb]!);
    return total;
  };
  const metrics = Object.fromEntries(layout.metricNames.map((name, index) => [name, Number(value(index + 1)) / METRIC_SCALE]));
  return { weight: Number(value(0)), metrics, saturated: Number(value(layout.metricNames.length + 1)) };
}

type CoordinateTail = Int8Array | Int16Array | Int32Array;

/**
 * Whether a vector's extra coordinates say what its signed report says.
 * @returns what contradicts, or undefined.
 */
export function contradiction(extras: UpdateExtras, report: Pick<UpdateExtras, "weight" | "metrics">): string | undefined {
  if (extras.weight !== report.weight) return `The vector has the weight ${extras.weight}, the report ${report.weight}.`;
  const names = new Set([...Object.keys(extras.metrics), ...Object.keys(report.metrics)]);
  for (const name of names) {
    const reported = report.metrics[name];
    const encoded = extras.metrics[name];
    if (reported === undefined || encoded === undefined) return `Only the ${encoded === undefined ? "report" : "vector"} has the metric "${name}".`;
    if (metricSteps(reported) / METRIC_SCALE !== encoded) return `The vector has ${encoded} for the metric "${name}", the report ${reported}.`;
  }
  return undefined;
}

function splitIntoLimbs(value: number, { limbs, limbBits }: VectorLayout, out: Int16Array): void {
  const base = 2 ** limbBits;
  let rest = Math.abs(value);
  for (let limb = 0; limb < limbs; limb += 1) {
    const digit = rest % base;
    // 0 − digit rather than −digit: no negative zero on the way.
    out[limb] = value < 0 ? 0 - digit : digit;
    rest = (rest - digit) / base;
  }
}

function reject(message: string, hint?: string): NexusError {
  return new NexusError("UPDATE_REJECTED", message, hint === undefined ? {} : { hint });
}
