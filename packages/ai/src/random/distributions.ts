/**
 * Samples of distributions from a random stream, in f64 + − × ÷ √ and our own exp and ln, so that the same stream gives
 * the same numbers on every host.
 *
 * Sources: normal: Marsaglia's polar method (Marsaglia and Bray, SIAM Review 6(3), 1964). Gamma: Marsaglia and Tsang,
 * "A simple method for generating gamma variables", ACM TOMS 26(3), 2000, §3, and §8 for shapes below 1.
 *
 * @module
 */
import { deterministicExp, deterministicLog } from "./deterministic-math.ts";
import type { RandomStream } from "./stream.ts";

/** Below this the logarithm of a gamma number could itself become infinite. */
const MIN_SHAPE = 1e-300;

/** Uniform in (0, 1): a logarithm can be taken of it. */
function positiveUniform(random: RandomStream): number {
  let value = random.uniform();
  while (value === 0) value = random.uniform();
  return value;
}

/** A standard normal number (mean 0, variance 1). */
export function normal(random: RandomStream): number {
  for (;;) {
    const u = 2 * random.uniform() - 1;
    const v = 2 * random.uniform() - 1;
    const s = u * u + v * v;
    // The pair's second number is left unused: a sample is a function of the stream alone, with no state beside it.
    if (s > 0 && s < 1) return u * Math.sqrt((-2 * deterministicLog(s)) / s);
  }
}

/** A gamma number of shape ≥ 1 and scale 1 (Marsaglia and Tsang, §3). */
function gammaFromOne(random: RandomStream, shape: number): number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random);
    const root = 1 + c * x;
    if (root <= 0) continue;
    const v = root * root * root;
    const u = positiveUniform(random);
    const square = x * x;
    if (u < 1 - 0.0331 * square * square) return d * v;
    if (deterministicLog(u) < 0.5 * square + d * (1 - v + deterministicLog(v))) return d * v;
  }
}

/** ln of a gamma number: with a small shape the number itself underflows to 0, its logarithm does not. */
function logOfGamma(random: RandomStream, shape: number): number {
  if (!(shape >= MIN_SHAPE && shape < Infinity)) throw new RangeError(`The shape of a gamma distribution lies in [1e-300, ∞), not at ${shape}.`);
  if (shape >= 1) return deterministicLog(gammaFromOne(random, shape));
  const raised = gammaFromOne(random, shape + 1);
  return deterministicLog(raised) + deterministicLog(positiveUniform(random)) / shape;
}

/**
 * A gamma number of a shape in [1e-300, ∞) and scale 1 (mean and variance equal the shape).
 * @throws RangeError when the shape lies outside that range.
 */
export function gamma(random: RandomStream, shape: number): number {
  return deterministicExp(logOfGamma(random, shape));
}

/**
 * A point of the symmetric Dirichlet distribution: `size` numbers ≥ 0 whose sum is 1 up to rounding. A small alpha puts
 * nearly all weight on a few of them, a large one shares it evenly. Safe for any alpha in [1e-300, ∞): gamma numbers are
 * compared by their logarithms, so they cannot all underflow.
 * @throws RangeError when alpha lies outside that range or size is not a whole number ≥ 1.
 */
export function dirichlet(random: RandomStream, alpha: number, size: number): Float64Array {
  if (!Number.isSafeInteger(size) || size < 1) throw new RangeError(`A Dirichlet point has at least one part, not ${size}.`);
  const parts = new Float64Array(size);
  let largest = -Infinity;
  for (let i = 0; i < size; i += 1) {
    const value = logOfGamma(random, alpha);
    parts[i] = value;
    if (value > largest) largest = value;
  }
  let sum = 0;
  for (let i = 0; i < size; i += 1) {
    const value = deterministicExp(parts[i]! - largest);
    parts[i] = value;
    sum += value;
  }
  for (let i = 0; i < size; i += 1) parts[i] = parts[i]! / sum;
  return parts;
}
