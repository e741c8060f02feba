/**
 * Arithmetic modulo the prime 65,537 = 2^16 + 1 without branches or tables that depend on values, so that neither says anything of a secret: products stay below
 * 2^33, where doubles are exact. What is claimed ends there: a JavaScript engine promises nothing of its instructions' times.
 *
 * @module
 */

/** The field's prime, 2^16 + 1. */
export const PRIME = 65_537;

const LIMB = 65_536;

/** a · b. Operands are elements: 0 to 65,536. */
export function multiply(a: number, b: number): number {
  return reduce(a * b);
}

/** a + b. */
export function add(a: number, b: number): number {
  const difference = a + b - PRIME;
  return difference + (PRIME & (difference >> 31));
}

/** The element of a value from 0 to 2^32: 2^16 is −1, so that the upper half is taken off the lower. */
export function reduce(value: number): number {
  const high = Math.floor(value / LIMB);
  const difference = value - high * LIMB - high;
  return difference + (PRIME & (difference >> 31));
}

/** 1/a for public values: a^(p − 2). Zero has none, and gives zero. */
export function inverse(a: number): number {
  let result = 1;
  for (let exponent = PRIME - 2, power = a; exponent > 0; exponent >>= 1, power = multiply(power, power)) {
    if (exponent % 2 === 1) result = multiply(result, power);
  }
  return result;
}
