/**
 * Logarithms to the base 2 of whole numbers, factorials and binomial coefficients, the same bits on every host: parties work out the parameters each for
 * itself and must agree, and what `Math.log2` gives in its last bits is the host's affair. Only +, −, × and ÷ are used, which IEEE 754 rounds in one way.
 *
 * Factorials by Stirling's series: NIST Digital Library of Mathematical Functions, §5.11.1.
 *
 * @module
 */

/** 1 / ln 2. */
const LOG2_E = Math.LOG2E;
/** log2 of √(2π). */
const LOG2_ROOT_TWO_PI = 1.3257480647361592;

/** From here on four terms of Stirling's series are exact to the last bits of a double: the fifth is below 1/(1188 n⁹). */
const SERIES_FROM = 32;

/** log2 of a number from 1 to below 2^31, to about 10^−15. */
export function log2(value: number): number {
  let exponent = 31 - Math.clz32(value);
  let mantissa = value / 2 ** exponent;
  if (mantissa > 1.415) [mantissa, exponent] = [mantissa / 2, exponent + 1];
  // ln m = 2 artanh((m − 1)/(m + 1)); here the square is below 0.03, so eleven terms are enough.
  const ratio = (mantissa - 1) / (mantissa + 1);
  const square = ratio * ratio;
  let sum = 0;
  for (let odd = 21; odd >= 1; odd -= 2) sum = sum * square + 1 / odd;
  return exponent + 2 * LOG2_E * ratio * sum;
}

/** log2 of n!, for a whole number from 0 to below 2^31. A relative error of a few roundings: of 65,536! about 10^−10. */
export function log2Factorial(n: number): number {
  if (n < SERIES_FROM) {
    let sum = 0;
    for (let factor = 2; factor <= n; factor += 1) sum += log2(factor);
    return sum;
  }
  const square = n * n;
  const series = (1 / 12 - (1 / 360 - (1 / 1260 - 1 / (1680 * square)) / square) / square) / n;
  return (n + 0.5) * log2(n) + LOG2_ROOT_TWO_PI + (series - n) * LOG2_E;
}

/** log2 of the number of ways to choose k of n; −∞ where there is none. */
export function log2Choose(n: number, k: number): number {
  if (k < 0 || k > n) return -Infinity;
  return log2Factorial(n) - log2Factorial(k) - log2Factorial(n - k);
}
