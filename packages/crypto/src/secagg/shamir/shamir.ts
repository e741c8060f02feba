/**
 * Secret sharing. Source: Shamir, "How to share a secret" (CACM 22(11), 1979), over GF(65,537), on a secret's limbs of 16 bits: each is the value at 0 of a random
 * polynomial of degree t − 1 of its own. Fewer than t shares say nothing of the secret, whatever computing power there is.
 *
 * The field has room for 65,536 holders, and its arithmetic needs neither big integers nor tables (see `field.ts`).
 *
 * @module
 */
import { add, inverse, multiply, PRIME, reduce } from "./field.ts";

/** Bytes of one element in a share, little endian. */
const ELEMENT_BYTES = 3;
/** Elements drawn at once at most. */
const RANDOM_BLOCK = 4_096;

/** Gives random bytes from a CSPRNG; memory that is the caller's to wipe. */
export type RandomBytes = (length: number) => Uint8Array<ArrayBuffer>;

/** A share with its holder, who stands at x = holder + 1. */
export interface HeldShare {
  readonly holder: number;
  readonly share: Uint8Array;
}

/**
 * Splits a secret into one share for each holder, any `threshold` of which give it back.
 * @param secret an even number of bytes
 * @param holders distinct, from 0 to 65,535
 * @throws RangeError for a threshold that these holders cannot reach, or holders that are twice there or out of range
 */
export function splitSecret(secret: Uint8Array, threshold: number, holders: readonly number[], randomBytes: RandomBytes): Uint8Array<ArrayBuffer>[] {
  if (secret.length % 2 !== 0) throw new RangeError(`A secret of ${secret.length} bytes has no limbs of 16 bits.`);
  if (!Number.isSafeInteger(threshold) || threshold < 1 || threshold > holders.length) {
    throw new RangeError(`${holders.length} holders can never come to a threshold of ${threshold}.`);
  }
  checkHolders(holders);
  const limbs = secret.length / 2;
  // Coefficient d of limb l is at d · limbs + l; those of degree 0 are the secret.
  const coefficients = randomElements(threshold * limbs, randomBytes);
  for (let limb = 0; limb < limbs; limb += 1) coefficients[limb] = secret[2 * limb]! | (secret[2 * limb + 1]! << 8);
  const values = new Float64Array(limbs);
  const shares = holders.map((holder) => {
    evaluate(coefficients, limbs, threshold, holder + 1, values);
    return written(values);
  });
  coefficients.fill(0);
  values.fill(0);
  return shares;
}

/** Horner's rule for all limbs at once. */
function evaluate(coefficients: Uint32Array, limbs: number, threshold: number, x: number, values: Float64Array): void {
  values.fill(0);
  for (let degree = threshold - 1; degree >= 0; degree -= 1) {
    const row = degree * limbs;
    for (let limb = 0; limb < limbs; limb += 1) values[limb] = reduce(values[limb]! * x + coefficients[row + limb]!);
  }
}

/**
 * The secret of at least as many shares as the threshold; with one wrong share, or too few, another one.
 * @param weights of `lagrangeAtZero`, for these holders in this order
 * @returns undefined when the value at 0 is 65,536 in a limb: then the shares are of no secret
 * @throws RangeError for shares of other lengths, or with elements outside the field
 */
export function recombine(
  shares: readonly HeldShare[],
  weights = lagrangeAtZero(shares.map(({ holder }) => holder)),
): Uint8Array<ArrayBuffer> | undefined {
  const lengthBytes = shares[0]?.share.length ?? 0;
  if (lengthBytes === 0 || lengthBytes % ELEMENT_BYTES !== 0)
    throw new RangeError(`A share of ${lengthBytes} bytes has no elements of ${ELEMENT_BYTES}.`);
  if (weights.length !== shares.length) throw new RangeError(`${weights.length} weights do not fit ${shares.length} shares.`);
  const limbs = lengthBytes / ELEMENT_BYTES;
  const values = new Uint32Array(limbs);
  let outside = 0;
  for (const [index, { holder, share }] of shares.entries()) {
    if (share.length !== lengthBytes) throw new RangeError(`The share of holder ${holder} has ${share.length} bytes, others have ${lengthBytes}.`);
    for (let limb = 0; limb < limbs; limb += 1) {
      const at = limb * ELEMENT_BYTES;
      const element = share[at]! | (share[at + 1]! << 8) | (share[at + 2]! << 16);
      // Negative, so with its upper bits set, when it is beyond the field.
      outside |= PRIME - 1 - element;
      values[limb] = add(values[limb]!, multiply(element & 0x1ffff, weights[index]!));
    }
  }
  if (outside < 0) throw new RangeError("A share has an element outside the field.");
  const secret = new Uint8Array(2 * limbs);
  let overflow = 0;
  for (let limb = 0; limb < limbs; limb += 1) {
    secret[2 * limb] = values[limb]! & 0xff;
    secret[2 * limb + 1] = (values[limb]! >> 8) & 0xff;
    overflow |= values[limb]! >> 16;
  }
  values.fill(0);
  return overflow === 0 ? secret : undefined;
}

/** What each share counts at x = 0: Π x_j / (x_j − x_i) over the others. Depends on who the holders are alone. @throws RangeError as `splitSecret` */
export function lagrangeAtZero(holders: readonly number[]): Uint32Array {
  checkHolders(holders);
  return Uint32Array.from(holders, (holder) => {
    const x = holder + 1;
    let [numerator, denominator] = [1, 1];
    for (const other of holders) {
      if (other === holder) continue;
      numerator = multiply(numerator, other + 1);
      denominator = multiply(denominator, (other + 1 - x + PRIME) % PRIME);
    }
    return multiply(numerator, inverse(denominator));
  });
}

function checkHolders(holders: readonly number[]): void {
  const wrong = holders.find((holder) => !Number.isSafeInteger(holder) || holder < 0 || holder >= PRIME - 1);
  if (wrong !== undefined) throw new RangeError(`A holder has a place from 0 to ${PRIME - 2}, not ${wrong}.`);
  if (new Set(holders).size !== holders.length) throw new RangeError("A holder is there twice.");
}

/** Uniform elements: 17 bits of each 3 random bytes, drawn again when they are 65,537 or more. Which draws were refused says nothing of those that stay. */
function randomElements(count: number, randomBytes: RandomBytes): Uint32Array {
  const elements = new Uint32Array(count);
  let made = 0;
  while (made < count) {
    const bytes = randomBytes(Math.min(RANDOM_BLOCK * ELEMENT_BYTES, Math.ceil((count - made) * 2.1) * ELEMENT_BYTES));
    for (let at = 0; at + ELEMENT_BYTES <= bytes.length && made < count; at += ELEMENT_BYTES) {
      const drawn = bytes[at]! | (bytes[at + 1]! << 8) | ((bytes[at + 2]! & 1) << 16);
      if (drawn < PRIME) elements[made++] = drawn;
    }
    bytes.fill(0);
  }
  return elements;
}

function written(values: Float64Array): Uint8Array<ArrayBuffer> {
  const share = new Uint8Array(values.length * ELEMENT_BYTES);
  for (const [limb, value] of values.entries()) {
    const at = limb * ELEMENT_BYTES;
    share[at] = value & 0xff;
    share[at + 1] = (value >> 8) & 0xff;
    share[at + 2] = value >> 16;
  }
  return share;
}
