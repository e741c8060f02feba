/** The upper tail of the binomial distribution as a logarithm to the base 2. Source: Johnson, Kemp and Kotz (2005), chapter 3; summed as the hypergeometric one. @module */
import { log2, log2Choose } from "./log2.ts";
import { unimodalSum } from "./unimodal-sum.ts";

/** Independent trials of which each succeeds with probability numerator / denominator: whole numbers below 2^31, 0 < numerator < denominator. */
export interface Trials {
  readonly trials: number;
  readonly numerator: number;
  readonly denominator: number;
}

/** log2 of the probability of `least` or more successes: from −∞ to 0. @throws RangeError for a probability of 0, 1 or none */
export function log2SuccessesAtLeast({ trials, numerator, denominator }: Trials, least: number): number {
  if (!(numerator > 0 && numerator < denominator)) throw new RangeError(`${numerator}/${denominator} is no probability between 0 and 1.`);
  if (least > trials) return -Infinity;
  if (least <= 0) return 0;
  const failing = denominator - numerator;
  const tail = unimodalSum({
    from: least,
    to: trials,
    mode: Math.floor(((trials + 1) * numerator) / denominator),
    ratio: (i) => ((trials - i) * numerator) / ((i + 1) * failing),
  });
  const term =
    log2Choose(trials, tail.greatest) + tail.greatest * log2(numerator) + (trials - tail.greatest) * log2(failing) - trials * log2(denominator);
  return Math.min(0, term + log2(tail.sum));
}
