/** (y − t)² per element. */
export function mseLosses(outputs: usize, targets: usize, losses: usize, count: i32): void {
  for (const end = outputs + ((<usize>count) << 2); outputs < end; outputs += 16, targets += 16, losses += 16) {
    const difference = f32x4.sub(v128.load(outputs), v128.load(targets));
    v128.store(losses, f32x4.mul(difference, difference));
  }
}

/** gradient = (y − t) × scale. */
export function mseGradient(outputs: usize, targets: usize, gradient: usize, count: i32, scale: f32): void {
  const factor = f32x4.splat(scale);
  for (const end = outputs + ((<usize>count) << 2); outputs < end; outputs += 16, targets += 16, gradient += 16) {
    v128.store(gradient, f32x4.mul(f32x4.sub(v128.load(outputs), v128.load(targets)), factor));
  }
}
