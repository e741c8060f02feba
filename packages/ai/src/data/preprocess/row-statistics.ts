import type { Examples } from "../examples.ts";
import { type ColumnSteps, NUMBER_SUMS, statisticsLength, statisticsOf } from "./column-steps.ts";

/**
 * What a party tells of its rows before the first round, and all that it tells: for each column a row of counts and sums in a fixed order,
 * none of which is more than its rows allow. Sums over parties are added as integers, like updates; nothing here needs more.
 *
 * @module
 */

/** What adding up to 10^9 positions in f64 may leave of each. */
const ROUNDING = 2 ** -30;

/** Where a value lies between the ends of its column's bounds, from 0 to 1. */
export function position(value: number, [low, high]: readonly [number, number]): number {
  return value <= low ? 0 : value >= high ? 1 : (value - low) / (high - low);
}

/**
 * What sums of positions and of their squares are multiplied by, so that they stay below 2^31 and as exact as a coordinate allows.
 * @param maxRows bound of a party's rows
 */
export function sumScale(maxRows: number): number {
  let scale = 2 ** 31;
  for (let bound = 1; bound < maxRows; bound *= 2) scale /= 2;
  return scale;
}

/**
 * Counts a party's rows: of a column of numbers how many are known, the scaled sum of their positions and of the squares of these, and the
 * histogram; of a column of categories how often each occurs.
 * @returns `statisticsLength(steps)` numbers ≥ 0
 */
export function rowStatistics(steps: readonly ColumnSteps[], { features, featureLength, count }: Examples, maxRows: number): Float64Array {
  const sums = new Float64Array(statisticsLength(steps));
  const scale = sumScale(maxRows);
  let at = 0;
  for (const [column, step] of steps.entries()) {
    const own = sums.subarray(at, at + statisticsOf(step));
    for (let row = 0; row < count; row += 1) {
      const value = features[row * featureLength + column]!;
      if (Number.isNaN(value)) continue;
      if (step.type === "category") {
        own[value]! += 1;
        continue;
      }
      const place = position(value, step.bounds);
      own[0]! += 1;
      own[1]! += place;
      own[2]! += place * place;
      own[NUMBER_SUMS + Math.min(step.bins - 1, Math.floor(place * step.bins))]! += 1;
    }
    if (step.type === "number") {
      own[1]! *= scale;
      own[2]! *= scale;
    }
    at += own.length;
  }
  return sums;
}

/**
 * Whether a party's statistics can be those of any rows: what one party could otherwise do to the others' features.
 * @param parties whose sums these are, added: each has rounded its own
 * @returns what is impossible, for the error, or undefined
 */
export function impossibleStatistics(
  steps: readonly ColumnSteps[],
  sums: ArrayLike<number>,
  rows: number,
  maxRows: number,
  parties = 1,
): string | undefined {
  const scale = sumScale(maxRows);
  let at = 0;
  for (const step of steps) {
    const own = Array.from({ length: statisticsOf(step) }, (_, index) => sums[at + index]!);
    at += own.length;
    const what = `of the column "${step.column}"`;
    const counts = step.type === "number" ? own.slice(NUMBER_SUMS) : own;
    if (counts.some((count) => !(Number.isSafeInteger(count) && count >= 0))) return `A count ${what} is no whole number of rows.`;
    const counted = counts.reduce((sum, count) => sum + count, 0);
    if (counted > rows) return `Its counts ${what} add up to ${counted}, and it has ${rows} rows.`;
    if (step.type === "category") continue;
    const [known, sum, squares] = own as [number, number, number];
    if (known !== counted) return `It counts ${known} known cells ${what}, and ${counted} in their histogram.`;
    if (!areOfHistogram(sum, squares, known, counts, { scale, parties })) return `The sums ${what} are those of no ${known} values.`;
  }
  return undefined;
}

/**
 * Whether values in these bins can have this sum and this sum of squares: both lie between what the bins' lower and upper ends give, and no
 * variance is negative. So sums can lie by no more than a bin's width, and deviations cannot be made 0.
 */
function areOfHistogram(
  sum: number,
  squares: number,
  known: number,
  counts: readonly number[],
  { scale, parties }: { readonly scale: number; readonly parties: number },
): boolean {
  let [least, most, leastSquares, mostSquares] = [0, 0, 0, 0];
  for (const [bin, count] of counts.entries()) {
    const [low, high] = [bin / counts.length, (bin + 1) / counts.length];
    least += count * low;
    most += count * high;
    leastSquares += count * low * low;
    mostSquares += count * high * high;
  }
  // Sums are rounded to steps far below 1, and f64 leaves a little of a long one.
  const slack = parties + known * scale * ROUNDING;
  const between = (value: number, low: number, high: number): boolean => value >= low * scale - slack && value <= high * scale + slack;
  if (sum < 0 || !between(sum, least, most)) return false;
  if (squares < 0 || squares > sum + slack || !between(squares, leastSquares, mostSquares)) return false;
  return known === 0 || squares + 3 * slack >= (sum * sum) / (known * scale);
}
