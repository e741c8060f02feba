/** The same numbers with whole numbers of any size, slow and without rounding: what the tests hold the others against. */

/** Ways to choose k of n. */
export function binomial(n: number, k: number): bigint {
  if (k < 0 || k > n) return 0n;
  let ways = 1n;
  for (let i = 1; i <= Math.min(k, n - k); i += 1) ways = (ways * BigInt(n - i + 1)) / BigInt(i);
  return ways;
}

/** log2 of a whole number of any size; −∞ of nothing. */
export function log2Of(value: bigint): number {
  if (value === 0n) return -Infinity;
  const excess = Math.max(0, value.toString(16).length * 4 - 1_000);
  return excess + Math.log2(Number(value >> BigInt(excess)));
}
