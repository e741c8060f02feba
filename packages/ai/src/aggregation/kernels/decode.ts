/**
 * f32(((f64(sum) × step) × maxWeight) / weight) for each coordinate, in this order. |sum| < 2^53, so its f64 is exact.
 * `length` is a multiple of 2.
 */
export function decodeMean(sum: usize, out: usize, length: i32, step: f64, maxWeight: f64, weight: f64): void {
  const steps = f64x2.splat(step);
  const weights = f64x2.splat(weight);
  const bounds = f64x2.splat(maxWeight);
  const end = sum + ((<usize>length) << 3);
  for (; sum < end; sum += 16, out += 8) {
    const total = f64x2(<f64>load<i64>(sum), <f64>load<i64>(sum, 8));
    const mean = f64x2.div(f64x2.mul(f64x2.mul(total, steps), bounds), weights);
    v128.store64_lane(out, f32x4.demote_f64x2_zero(mean), 0);
  }
}
