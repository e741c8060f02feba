/**
 * exp and ln of f64 numbers from + − × ÷ and the bits of the number alone. ECMAScript leaves the last bits of `Math.exp`,
 * `Math.log` and `Math.pow` to the host, so nothing that feeds a hash may use those; these give the same bits everywhere.
 *
 * Method: reduction by multiples of ln 2, split in two parts so that the large part times the exponent is exact, then a
 * fixed series; the compensated final sums follow K. C. Ng's fdlibm (Sun Microsystems, 1993, e_exp.c and e_log.c), the
 * polynomials are plain Taylor series long enough for f64. Largest error against 70-digit values at 80,000
 * arguments over the whole range: exp 0.80 ulp, ln 0.76 ulp.
 *
 * @module
 */

/** ln 2 as two numbers: the first has 33 significant bits, so its product with any exponent is exact (fdlibm). */
const LN2_HIGH = 6.9314718036912381649e-1;
const LN2_LOW = 1.90821492927058770002e-10;

/** Beyond these exp is infinite or rounds to zero: ln of the largest f64, and ln of half the smallest subnormal. */
const EXP_OVERFLOW = 709.782712893384;
const EXP_UNDERFLOW = -745.1332191019412;

/** 1/2!, 1/3!, …, 1/14!: the remainder is below 2^-58 for |r| ≤ ln 2 / 2. */
const EXP_TERMS = inverseFactorials(2, 14);
/** 2/3, 2/5, …, 2/25: ln((1+s)/(1−s)) − 2s = s·(z·2/3 + z²·2/5 + …), z = s² ≤ 0.0295; the remainder is below 2^-58. */
const LOG_TERMS = Array.from({ length: 12 }, (_, n) => 2 / (2 * n + 3));

const word = new DataView(new ArrayBuffer(8));

function inverseFactorials(from: number, to: number): readonly number[] {
  const terms: number[] = [];
  let factorial = 1;
  for (let n = 2; n <= to; n += 1) {
    factorial *= n;
    if (n >= from) terms.push(1 / factorial);
  }
  return terms;
}

/** 2^exponent for exponent in [−1022, 1023], exact. */
function powerOfTwo(exponent: number): number {
  word.setUint32(0, (exponent + 1023) << 20);
  word.setUint32(4, 0);
  return word.getFloat64(0);
}

function horner(terms: readonly number[], x: number): number {
  let sum = 0;
  for (let i = terms.length - 1; i >= 0; i -= 1) sum = sum * x + terms[i]!;
  return sum;
}

/** e^x, the same bits on every host. exp(±∞) is ∞ and 0, exp(NaN) is NaN. */
export function deterministicExp(x: number): number {
  if (Number.isNaN(x)) return NaN;
  if (x > EXP_OVERFLOW) return Infinity;
  if (x < EXP_UNDERFLOW) return 0;
  const k = Math.floor(x * Math.LOG2E + 0.5);
  const high = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = high - low;
  const lost = high - r - low;
  const y = 1 + (r + (r * r * horner(EXP_TERMS, r) + lost));
  if (k > 1023) return y * powerOfTwo(1023) * powerOfTwo(k - 1023);
  // Twice only where the result may be subnormal: the first product is exact, so it is rounded once.
  if (k < -1022) return y * powerOfTwo(k + 128) * powerOfTwo(-128);
  return y * powerOfTwo(k);
}

/** Natural logarithm, the same bits on every host. ln 0 is −∞, ln of a negative number NaN, ln ∞ is ∞. */
export function deterministicLog(x: number): number {
  if (Number.isNaN(x) || x < 0) return NaN;
  if (x === 0) return -Infinity;
  if (x === Infinity) return Infinity;
  let k = 0;
  let normal = x;
  if (normal < 2.2250738585072014e-308) {
    normal *= powerOfTwo(54);
    k = -54;
  }
  word.setFloat64(0, normal);
  const top = word.getUint32(0);
  k += (top >>> 20) - 1023;
  word.setUint32(0, (top & 0x000f_ffff) | 0x3ff0_0000);
  let m = word.getFloat64(0);
  // m in [√½, √2), so that ln m is small and k = 0 for x near 1, where cancellation would cost digits.
  if (m >= Math.SQRT2) {
    m *= 0.5;
    k += 1;
  }
  const f = m - 1;
  const s = f / (2 + f);
  const z = s * s;
  const halfSquare = 0.5 * f * f;
  const series = z * horner(LOG_TERMS, z);
  // ln(1+f) = f − (f²/2 − s·(f²/2 + series)): the leading term f is exact.
  return k * LN2_HIGH - (halfSquare - (s * (halfSquare + series) + k * LN2_LOW) - f);
}
