import { NexusError } from "@ciphernx/core/errors";
import { type CategorySteps, type ColumnSteps, NUMBER_SUMS, type NumberSteps, statisticsLength, statisticsOf } from "./column-steps.ts";
import { KEPT_BINS, type PreparedCategory, type PreparedNumber, type Preprocessing } from "./preprocessing.ts";
import { sumScale } from "./row-statistics.ts";

/** Below this variance of positions a column counts as constant: values are added in f64, and noise must not be blown up to features. */
const CONSTANT_VARIANCE = 2 ** -32;
/** What rounding may leave in a scaled sum: sums travel in steps of 2^−20, and there is one for each party. */
const SUM_NOISE = 2 ** -16;

/**
 * What follows from the sums of all parties' statistics. f64, + − × ÷ √ in a fixed order only: the same bits on every host. Where cells are
 * missing, means and deviations are those after they have been filled in, as a pipeline over the rows themselves would compute them.
 *
 * @param sums of all parties, as `rowStatistics` orders them
 * @param rows training rows of all parties
 * @param maxRows bound of a party's rows, as given to `rowStatistics`
 * @param unknown what becomes of a column of which nobody knows a single cell: refuse, or give every row the same feature
 * @throws NexusError DATA_INVALID naming such a column
 */
export function fitPreprocessing(
  steps: readonly ColumnSteps[],
  sums: ArrayLike<number>,
  rows: number,
  maxRows: number,
  unknown: "refuse" | "constant" = "refuse",
): Preprocessing {
  if (sums.length !== statisticsLength(steps)) throw new RangeError(`The statistics are ${statisticsLength(steps)} sums, not ${sums.length}.`);
  const scale = sumScale(maxRows);
  let at = 0;
  const columns = steps.map((step) => {
    const own = Array.from({ length: statisticsOf(step) }, (_, index) => sums[at + index]!);
    at += own.length;
    const known = step.type === "number" ? own[0]! : total(own);
    if (known === 0 && unknown === "refuse" && (step.type === "number" || step.impute === "mode")) throw nothingKnown(step.column);
    return step.type === "number" ? fitNumber(step, own, rows, scale) : fitCategory(step, own, rows);
  });
  return { version: 1, rows, columns };
}

function fitNumber(step: NumberSteps, own: readonly number[], rows: number, scale: number): PreparedNumber {
  const { column, bounds, impute, scale: scaling, indicate } = step;
  const [low, high] = bounds;
  const known = own[0]!;
  if (known === 0) return constantNumber(step, rows);
  const sum = own[1]! / scale;
  const squares = own[2]! / scale;
  const histogram = own.slice(NUMBER_SUMS);
  const missing = rows - known;
  const valueAt = (place: number): number => low + place * (high - low);

  const noise = SUM_NOISE / scale;
  const [knownMean, knownDeviation] = moments(known, sum, squares, noise);
  const median = medianOf(histogram, knownMean, knownDeviation);
  const fill = impute === "none" ? undefined : impute === "mean" ? knownMean : median;
  // As if the gaps had been filled in before anything else was computed.
  const filled = fill === undefined ? 0 : missing;
  const place = fill ?? 0;
  const [mean, deviation] = moments(known + filled, sum + filled * place, squares + filled * place * place, noise);
  if (filled > 0) histogram[Math.min(histogram.length - 1, Math.floor(place * histogram.length))]! += filled;
  const centre = scaling === "standard" ? mean : scaling === "robust" ? medianOf(histogram, mean, deviation) : undefined;
  const spread = scaling === "standard" ? deviation : scaling === "robust" ? robustSpread(histogram, deviation) : 0;
  const divisor = spread * (high - low);

  const bins = own.slice(NUMBER_SUMS);
  const group = bins.length / KEPT_BINS;
  return {
    column,
    type: "number",
    clip: [low, high],
    fill: fill === undefined ? null : valueAt(fill),
    offset: centre === undefined ? 0 : valueAt(centre),
    divisor: Number.isFinite(1 / divisor) ? divisor : 1,
    indicate,
    statistics: {
      missing,
      mean: valueAt(knownMean),
      deviation: knownDeviation * (high - low),
      median: valueAt(median),
      histogram: Array.from({ length: KEPT_BINS }, (_, bin) => total(bins.slice(bin * group, (bin + 1) * group))),
    },
  };
}

function fitCategory({ column, categories, impute }: CategorySteps, counts: readonly number[], rows: number): PreparedCategory {
  const known = total(counts);
  // The first of those that are equally frequent.
  const mode = counts.indexOf(counts.reduce((most, one) => Math.max(most, one), 0));
  const fill = impute === "mode" ? mode : impute === "category" ? "own" : null;
  return { column, type: "category", categories, fill, statistics: { missing: rows - known, counts: [...counts] } };
}

/** A column of which nothing is known: whatever comes is moved to the middle, and that is 0. */
function constantNumber({ column, bounds: [low, high], indicate }: NumberSteps, rows: number): PreparedNumber {
  const middle = (low + high) / 2;
  const statistics = { missing: rows, mean: middle, deviation: 0, median: middle, histogram: Array.from({ length: KEPT_BINS }, () => 0) };
  return { column, type: "number", clip: [middle, middle], fill: middle, offset: middle, divisor: 1, indicate, statistics };
}

/** Mean and standard deviation (of the population) of positions. */
function moments(count: number, sum: number, squares: number, noise: number): readonly [mean: number, deviation: number] {
  const mean = sum / count;
  const variance = squares / count - mean * mean;
  return [mean, variance > Math.max(CONSTANT_VARIANCE, noise / count) ? Math.sqrt(variance) : 0];
}

/**
 * The interquartile range; the standard deviation where that is narrower than a bin. A histogram cannot tell it from 0 then (most rows have
 * one value), and dividing by what it seems to be would make the others hundreds.
 */
function robustSpread(histogram: readonly number[], deviation: number): number {
  const range = quantile(histogram, 0.75) - quantile(histogram, 0.25);
  return range * histogram.length < 1 ? deviation : range;
}

/**
 * The median, which is never farther from the mean than a deviation: that is narrower than a bin where all values are nearly one, and a gap
 * filled with another value of the same bin would be a deviation of its own.
 */
function medianOf(histogram: readonly number[], mean: number, deviation: number): number {
  return Math.min(mean + deviation, Math.max(mean - deviation, quantile(histogram, 0.5)));
}

/** The position below which a share of the counted values lies; values are taken to lie evenly within a bin. */
function quantile(bins: readonly number[], share: number): number {
  const wanted = share * total(bins);
  let below = 0;
  for (const [bin, count] of bins.entries()) {
    if (count > 0 && below + count >= wanted) return (bin + (wanted - below) / count) / bins.length;
    below += count;
  }
  return 1;
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

function nothingKnown(column: string): NexusError {
  // The remedy is in the message as well: the reason of a run that failed has no hint.
  const remedy = 'Give the column the role "ignore" in the schema at every party, or have a party take part that knows some of its training rows.';
  return new NexusError(
    "DATA_INVALID",
    `No party that was counted knows a single training cell of the column "${column}", so nothing can stand in for the missing ones. ${remedy}`,
    { hint: remedy, details: { column } },
  );
}
