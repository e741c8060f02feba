/** Decimal numbers as programs write them; hexadecimal, "Infinity", "1,5" and the empty text are none. */
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The number that a trimmed cell spells, or undefined. Parsing decimals is exactly specified, so it is the same on every host. */
export function parseDecimal(text: string): number | undefined {
  return DECIMAL.test(text) ? Number(text) : undefined;
}

/** Whether a trimmed cell stands for "not known": it is empty or one of the declared texts. */
export function isMissing(text: string, codes: readonly string[] | undefined): boolean {
  return text === "" || (codes !== undefined && codes.includes(text));
}
