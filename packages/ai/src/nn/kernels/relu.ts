/** to = max(from, 0); NaN stays NaN. Buffers padded to 16 numbers; they may be the same. */
export function relu(from: usize, to: usize, count: i32): void {
  const zero = f32x4.splat(0);
  for (const end = from + ((<usize>count) << 2); from < end; from += 16, to += 16) v128.store(to, f32x4.pmax(v128.load(from), zero));
}

/** dx = dy where y > 0, else 0, y being the output. */
export function reluBackward(y: usize, dy: usize, dx: usize, count: i32): void {
  const zero = f32x4.splat(0);
  for (const end = y + ((<usize>count) << 2); y < end; y += 16, dy += 16, dx += 16) {
    v128.store(dx, v128.and(v128.load(dy), f32x4.gt(v128.load(y), zero)));
  }
}
