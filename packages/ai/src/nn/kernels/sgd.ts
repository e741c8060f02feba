/**
 * One step of stochastic gradient descent over `count` parameters (buffers padded to 4 numbers):
 * g ← g + decay·w + proximal·(w − w₀); v ← momentum·v + g; w ← w − rate·v. A factor of 0 leaves its term out;
 * `velocity` and `anchor` (w₀) are read only where their factor is not 0. The gradient is not changed.
 */
export function sgdStep(
  weights: usize,
  gradient: usize,
  velocity: usize,
  anchor: usize,
  count: i32,
  rate: f32,
  momentum: f32,
  decay: f32,
  proximal: f32,
): void {
  const size = (<usize>count) << 2;
  const step = f32x4.splat(rate);
  if (momentum == 0 && decay == 0 && proximal == 0) {
    for (let i: usize = 0; i < size; i += 16) {
      v128.store(weights + i, f32x4.sub(v128.load(weights + i), f32x4.mul(step, v128.load(gradient + i))));
    }
    return;
  }
  for (let i: usize = 0; i < size; i += 16) {
    const w = v128.load(weights + i);
    let g = v128.load(gradient + i);
    if (decay != 0) g = f32x4.add(g, f32x4.mul(f32x4.splat(decay), w));
    if (proximal != 0) g = f32x4.add(g, f32x4.mul(f32x4.splat(proximal), f32x4.sub(w, v128.load(anchor + i))));
    if (momentum != 0) {
      g = f32x4.add(f32x4.mul(f32x4.splat(momentum), v128.load(velocity + i)), g);
      v128.store(velocity + i, g);
    }
    v128.store(weights + i, f32x4.sub(w, f32x4.mul(step, g)));
  }
}
