const TAIL = memory.data(64, 16);

/**
 * Sum of `count` numbers: 16 partial sums, the j-th over elements j, j + 16, … in order, then a halving tree
 * (j with j + 8, + 4, + 2, + 1). The same for vectors of 4, 8 and 16 lanes.
 */
export function sum16(from: usize, count: i32): f32 {
  let s0 = f32x4.splat(0);
  let s1 = f32x4.splat(0);
  let s2 = f32x4.splat(0);
  let s3 = f32x4.splat(0);
  while (count >= 16) {
    s0 = f32x4.add(s0, v128.load(from, 0));
    s1 = f32x4.add(s1, v128.load(from, 16));
    s2 = f32x4.add(s2, v128.load(from, 32));
    s3 = f32x4.add(s3, v128.load(from, 48));
    from += 64;
    count -= 16;
  }
  if (count > 0) {
    memory.fill(TAIL, 0, 64);
    memory.copy(TAIL, from, (<usize>count) << 2);
    s0 = f32x4.add(s0, v128.load(TAIL, 0));
    s1 = f32x4.add(s1, v128.load(TAIL, 16));
    s2 = f32x4.add(s2, v128.load(TAIL, 32));
    s3 = f32x4.add(s3, v128.load(TAIL, 48));
  }
  const by4 = f32x4.add(f32x4.add(s0, s2), f32x4.add(s1, s3));
  const by2 = f32x4.add(by4, v128.shuffle<f32>(by4, by4, 2, 3, 0, 1));
  return f32x4.extract_lane(by2, 0) + f32x4.extract_lane(by2, 1);
}
