/** Whether a sum is a count: sums are uploaded in steps of 2^−20, so that whole numbers arrive whole. */
export function isCount(sum: number): boolean {
  return Number.isSafeInteger(sum) && sum >= 0;
}

/** What is wrong with sums that are to be counts, naming the first that is none. */
export function noCount(sums: Float64Array, names: readonly string[]): string | undefined {
  const wrong = sums.findIndex((sum) => !isCount(sum));
  return wrong === -1 ? undefined : `Its sum "${names[wrong]}" is ${sums[wrong]}, no count.`;
}
