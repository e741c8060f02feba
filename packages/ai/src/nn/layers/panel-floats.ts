/** Numbers of a k × n operand of a matrix product, packed: panels are 8 columns wide. */
export function panelFloats(k: number, n: number): number {
  return k * Math.ceil(n / 8) * 8;
}
