/** How unlikely a draw is, far out in the tails: logarithms to the base 2 of probabilities that are too small for doubles. Exact up to rounding (about 10^−9). @module */

/** log2 of n! for all n up to a size, as sums of logarithms. */
export interface LogFactorials {
  readonly size: number;
  /** log2 of n over k; −∞ where there is no such choice. */
  choose(n: number, k: number): number;
}

/** Logarithms of factorials up to `size`. */
export function logFactorials(size: number): LogFactorials {
  const sums = new Float64Array(size + 1);
  for (let n = 2; n <= size; n += 1) sums[n] = sums[n - 1]! + Math.log2(n);
  return { size, choose: (n, k) => (k < 0 || k > n ? -Infinity : sums[n]! - sums[k]! - sums[n - k]!) };
}

/** A draw of `drawn` from `population`, of whom `marked` are marked: the hypergeometric distribution. */
export interface Draw {
  readonly population: number;
  readonly marked: number;
  readonly drawn: number;
}

/** log2 of the probability that at least `least` of those drawn are marked. */
export function log2AtLeast({ choose }: LogFactorials, { population, marked, drawn }: Draw, least: number): number {
  const from = Math.max(0, least, drawn - (population - marked));
  const to = Math.min(drawn, marked);
  const all = choose(population, drawn);
  const terms = Array.from(
    { length: Math.max(0, to - from + 1) },
    (_, i) => choose(marked, from + i) + choose(population - marked, drawn - from - i) - all,
  );
  return log2Sum(terms);
}

/** log2 of the sum of numbers whose log2 is given. */
export function log2Sum(terms: readonly number[]): number {
  const most = terms.reduce((greatest, term) => Math.max(greatest, term), -Infinity);
  if (most === -Infinity) return -Infinity;
  return most + Math.log2(terms.reduce((sum, term) => sum + 2 ** (term - most), 0));
}
