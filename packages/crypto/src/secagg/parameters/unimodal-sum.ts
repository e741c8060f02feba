/** Terms of a sequence that rises to one greatest term and falls from there, its ratios falling (log-concave), as the terms of a binomial or hypergeometric distribution. */
export interface UnimodalTerms {
  /** First and last index that is added, from ≤ to. */
  readonly from: number;
  readonly to: number;
  /** Index of the greatest term of all; it may lie outside. */
  readonly mode: number;
  /** term(i + 1) / term(i). */
  ratio(i: number): number;
}

/** A sum in units of one of its terms, the greatest. */
export interface RelativeSum {
  readonly greatest: number;
  /** At least 1, at most the number of terms. */
  readonly sum: number;
}

/** What is left out is beyond the last bit: ratios fall, so that what follows a term of this size adds up to some hundreds of it at most. */
const NEGLIGIBLE = 2 ** -70;

/** The terms from `from` to `to`, added from the greatest outwards. */
export function unimodalSum({ from, to, mode, ratio }: UnimodalTerms): RelativeSum {
  const greatest = Math.min(to, Math.max(from, mode));
  let sum = 1;
  for (let i = greatest, term = 1; i < to && term > NEGLIGIBLE; i += 1) {
    term *= ratio(i);
    sum += term;
  }
  for (let i = greatest, term = 1; i > from && term > NEGLIGIBLE; i -= 1) {
    term /= ratio(i - 1);
    sum += term;
  }
  return { greatest, sum };
}
