/**
 * One step of Adam (Kingma, Ba 2015, algorithm 1) over `count` parameters (buffers padded to 4 numbers):
 * g ← g + decay·w + proximal·(w − w₀); m ← β₁·m + (1 − β₁)·g; v ← β₂·v + (1 − β₂)·g²;
 * w ← w − rate·m / (√v / rootCorrection + ε), where the caller has put 1 / (1 − β₁ᵗ) into rate and
 * rootCorrection = √(1 − β₂ᵗ). `anchor` (w₀) is read only where proximal is not 0. The gradient is not changed.
 * In the last line w is multiplied with `keep` first: 1, or what a decoupled weight decay leaves (adamw.ts).
 */
export function adamStep(
  weights: usize,
  gradient: usize,
  mean: usize,
  square: usize,
  anchor: usize,
  count: i32,
  rate: f32,
  beta1: f32,
  oneMinusBeta1: f32,
  beta2: f32,
  oneMinusBeta2: f32,
  rootCorrection: f32,
  epsilon: f32,
  decay: f32,
  proximal: f32,
  keep: f32,
): void {
  const size = (<usize>count) << 2;
  for (let i: usize = 0; i < size; i += 16) {
    const w = v128.load(weights + i);
    let g = v128.load(gradient + i);
    if (decay != 0) g = f32x4.add(g, f32x4.mul(f32x4.splat(decay), w));
    if (proximal != 0) g = f32x4.add(g, f32x4.mul(f32x4.splat(proximal), f32x4.sub(w, v128.load(anchor + i))));
    const m = f32x4.add(f32x4.mul(f32x4.splat(beta1), v128.load(mean + i)), f32x4.mul(f32x4.splat(oneMinusBeta1), g));
    const v = f32x4.add(f32x4.mul(f32x4.splat(beta2), v128.load(square + i)), f32x4.mul(f32x4.splat(oneMinusBeta2), f32x4.mul(g, g)));
    v128.store(mean + i, m);
    v128.store(square + i, v);
    const divisor = f32x4.add(f32x4.div(f32x4.sqrt(v), f32x4.splat(rootCorrection)), f32x4.splat(epsilon));
    v128.store(weights + i, f32x4.sub(f32x4.mul(w, f32x4.splat(keep)), f32x4.mul(f32x4.splat(rate), f32x4.div(m, divisor))));
  }
}
