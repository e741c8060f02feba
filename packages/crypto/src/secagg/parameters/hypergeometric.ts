/**
 * Tails of the hypergeometric distribution as logarithms to the base 2, so that they may be far smaller than a double. What is not far in a tail comes
 * with the same absolute error of the logarithm, about 10^−9 for 65,536.
 *
 * Source: N. L. Johnson, A. W. Kemp and S. Kotz, "Univariate Discrete Distributions" (3rd edition, 2005), chapter 6. The greatest term of a tail is worked out from binomial
 * coefficients, the others from the ratios of terms that follow each other.
 *
 * @module
 */
import { log2, log2Choose } from "./log2.ts";
import { unimodalSum } from "./unimodal-sum.ts";

/** A draw without replacement. All are whole numbers, marked and drawn from 0 to population, which is below 2^31. */
export interface Draw {
  /** Of how many is drawn. */
  readonly population: number;
  /** How many of them are marked. */
  readonly marked: number;
  /** How many are drawn. */
  readonly drawn: number;
}

/** log2 of the probability that `least` or more of those drawn are marked: from −∞ to 0. @throws RangeError for what is no draw */
export function log2AtLeast(draw: Draw, least: number): number {
  return log2Between(draw, least, Infinity);
}

/** log2 of the probability that `most` or fewer of those drawn are marked: from −∞ to 0. @throws RangeError for what is no draw */
export function log2AtMost(draw: Draw, most: number): number {
  return log2Between(draw, -Infinity, most);
}

function log2Between({ population, marked, drawn }: Draw, least: number, most: number): number {
  if (!isCount(population, 2 ** 31 - 1) || !isCount(marked, population) || !isCount(drawn, population)) {
    throw new RangeError(`There is no draw of ${drawn} from ${population} of whom ${marked} are marked.`);
  }
  const unmarked = population - marked;
  const [fewest, greatest] = [Math.max(0, drawn - unmarked), Math.min(drawn, marked)];
  const [from, to] = [Math.max(fewest, Math.ceil(least)), Math.min(greatest, Math.floor(most))];
  if (from > to) return -Infinity;
  if (from === fewest && to === greatest) return 0;
  const tail = unimodalSum({
    from,
    to,
    mode: Math.floor(((drawn + 1) * (marked + 1)) / (population + 2)),
    ratio: (i) => ((marked - i) * (drawn - i)) / ((i + 1) * (unmarked - drawn + i + 1)),
  });
  const term = log2Choose(marked, tail.greatest) + log2Choose(unmarked, drawn - tail.greatest) - log2Choose(population, drawn);
  return Math.min(0, term + log2(tail.sum));
}

function isCount(value: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= most;
}
