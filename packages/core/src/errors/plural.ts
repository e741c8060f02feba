/**
 * A count with its noun, as messages write it: `1 row`, `0 rows`, `3 rows`.
 * @param many the noun of any other count than one, where it does not end in a plain s
 */
export function plural(count: number | bigint, noun: string, many = `${noun}s`): string {
  return `${count} ${Number(count) === 1 ? noun : many}`;
}
