// Sums over contiguous numbers of something made of each: 16 strided partial sums and a halving tree, as sum16 has them.

const TAIL = memory.data(64, 16);
const OTHER_TAIL = memory.data(64, 16);

function tree(s0: v128, s1: v128, s2: v128, s3: v128): f32 {
  const by4 = f32x4.add(f32x4.add(s0, s2), f32x4.add(s1, s3));
  const by2 = f32x4.add(by4, v128.shuffle<f32>(by4, by4, 2, 3, 0, 1));
  return f32x4.extract_lane(by2, 0) + f32x4.extract_lane(by2, 1);
}

function square(at: usize, mean: v128): v128 {
  const difference = f32x4.sub(v128.load(at), mean);
  return f32x4.mul(difference, difference);
}

/** Σ (x − mean)². */
export function centredSquares(from: usize, count: i32, mean: f32): f32 {
  const middle = f32x4.splat(mean);
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (; count >= 16; count -= 16, from += 64) {
    s0 = f32x4.add(s0, square(from, middle));
    s1 = f32x4.add(s1, square(from + 16, middle));
    s2 = f32x4.add(s2, square(from + 32, middle));
    s3 = f32x4.add(s3, square(from + 48, middle));
  }
  if (count > 0) {
    // Behind the end stands the mean, whose square is 0; one that is not finite makes the sum NaN.
    for (let i: usize = 0; i < 64; i += 16) v128.store(TAIL + i, middle);
    memory.copy(TAIL, from, (<usize>count) << 2);
    s0 = f32x4.add(s0, square(TAIL, middle));
    s1 = f32x4.add(s1, square(TAIL + 16, middle));
    s2 = f32x4.add(s2, square(TAIL + 32, middle));
    s3 = f32x4.add(s3, square(TAIL + 48, middle));
  }
  return tree(s0, s1, s2, s3);
}

function product(x: usize, g: usize, mean: v128, inverse: v128): v128 {
  return f32x4.mul(v128.load(g), f32x4.mul(f32x4.sub(v128.load(x), mean), inverse));
}

/** Σ g × ((x − mean) × inverse). */
export function normalisedProducts(x: usize, g: usize, count: i32, mean: f32, inverse: f32): f32 {
  const middle = f32x4.splat(mean);
  const factor = f32x4.splat(inverse);
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (; count >= 16; count -= 16, x += 64, g += 64) {
    s0 = f32x4.add(s0, product(x, g, middle, factor));
    s1 = f32x4.add(s1, product(x + 16, g + 16, middle, factor));
    s2 = f32x4.add(s2, product(x + 32, g + 32, middle, factor));
    s3 = f32x4.add(s3, product(x + 48, g + 48, middle, factor));
  }
  if (count > 0) {
    for (let i: usize = 0; i < 64; i += 16) v128.store(TAIL + i, middle);
    memory.fill(OTHER_TAIL, 0, 64);
    memory.copy(TAIL, x, (<usize>count) << 2);
    memory.copy(OTHER_TAIL, g, (<usize>count) << 2);
    s0 = f32x4.add(s0, product(TAIL, OTHER_TAIL, middle, factor));
    s1 = f32x4.add(s1, product(TAIL + 16, OTHER_TAIL + 16, middle, factor));
    s2 = f32x4.add(s2, product(TAIL + 32, OTHER_TAIL + 32, middle, factor));
    s3 = f32x4.add(s3, product(TAIL + 48, OTHER_TAIL + 48, middle, factor));
  }
  return tree(s0, s1, s2, s3);
}
