import { exp4, log1p4, sigmoid4 } from "./math";

/** Binary cross-entropy of logits z with targets t, per element: max(z, 0) − z·t + ln(1 + e^−|z|). */
export function bceLosses(logits: usize, targets: usize, losses: usize, count: i32): void {
  for (const end = logits + ((<usize>count) << 2); logits < end; logits += 16, targets += 16, losses += 16) {
    const z = v128.load(logits);
    const linear = f32x4.sub(f32x4.pmax(z, f32x4.splat(0)), f32x4.mul(z, v128.load(targets)));
    v128.store(losses, f32x4.add(linear, log1p4(exp4(f32x4.neg(f32x4.abs(z))))));
  }
}

/** gradient = (sigmoid(z) − t) × scale. */
export function bceGradient(logits: usize, targets: usize, gradient: usize, count: i32, scale: f32): void {
  const factor = f32x4.splat(scale);
  for (const end = logits + ((<usize>count) << 2); logits < end; logits += 16, targets += 16, gradient += 16) {
    v128.store(gradient, f32x4.mul(f32x4.sub(sigmoid4(v128.load(logits)), v128.load(targets)), factor));
  }
}
