// One coordinate: x = f64(delta) × factor; clip to ±range; y = x × scale; round; never beyond ±levels.
// factor = weight/maxWeight, scale = levels/range, levels = 2^(bits−1) − 1. All in f64, in this order.

/** Lanes of all ones where an f32 is infinite or not a number: only then v − v is not zero. */
function notFinite(v: v128): v128 {
  return f32x4.ne(f32x4.sub(v, v), f32x4.splat(0));
}

/** The upper two f32 of a vector as f64. */
function promoteHigh(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(v, v, 1, 0));
}

/** Two results of i32, each in the low half of its vector, side by side. */
function joinIntegers(low: v128, high: v128, levels: v128): v128 {
  const least = f64x2.neg(levels);
  const a = i32x4.trunc_sat_f64x2_s_zero(f64x2.pmin(f64x2.pmax(low, least), levels));
  const b = i32x4.trunc_sat_f64x2_s_zero(f64x2.pmin(f64x2.pmax(high, least), levels));
  return v128.shuffle<i64>(a, b, 0, 2);
}

function clip(x: v128, range: v128): v128 {
  return f64x2.pmin(f64x2.pmax(x, f64x2.neg(range)), range);
}

/** Rounds half to even. Writes i32; returns the number of clipped coordinates, or −1 when one is not finite. `length` is a multiple of 4. */
export function encodeNearest(delta: usize, out: usize, length: i32, factor: f64, range: f64, scale: f64, levels: f64): i32 {
  const factors = f64x2.splat(factor);
  const ranges = f64x2.splat(range);
  const scales = f64x2.splat(scale);
  const bounds = f64x2.splat(levels);
  let bad = i32x4.splat(0);
  let clipped = i64x2.splat(0);
  const end = delta + ((<usize>length) << 2);
  for (; delta < end; delta += 16, out += 16) {
    const v = v128.load(delta);
    bad = v128.or(bad, notFinite(v));
    const x0 = f64x2.mul(f64x2.promote_low_f32x4(v), factors);
    const x1 = f64x2.mul(promoteHigh(v), factors);
    // A comparison that holds is −1 in its lane.
    clipped = i64x2.sub(clipped, f64x2.gt(f64x2.abs(x0), ranges));
    clipped = i64x2.sub(clipped, f64x2.gt(f64x2.abs(x1), ranges));
    const y0 = f64x2.nearest(f64x2.mul(clip(x0, ranges), scales));
    const y1 = f64x2.nearest(f64x2.mul(clip(x1, ranges), scales));
    v128.store(out, joinIntegers(y0, y1, bounds));
  }
  if (v128.any_true(bad)) return -1;
  return <i32>(i64x2.extract_lane(clipped, 0) + i64x2.extract_lane(clipped, 1));
}

/** f64 of two u32 in the low half, as fractions of 2^32. */
function fractions(words: v128): v128 {
  return f64x2.mul(f64x2.convert_low_i32x4_u(words), f64x2.splat(2.3283064365386963e-10));
}

/** floor(y), plus 1 with probability y − floor(y): the same as floor(y + u) without the rounding of that sum. */
function roundByChance(y: v128, u: v128): v128 {
  const floor = f64x2.floor(y);
  return f64x2.add(floor, v128.and(f64x2.lt(u, f64x2.sub(y, floor)), f64x2.splat(1)));
}

/** Rounds up or down by chance, without bias; `words` holds one random u32 for each coordinate. Otherwise as `encodeNearest`. */
export function encodeStochastic(delta: usize, words: usize, out: usize, length: i32, factor: f64, range: f64, scale: f64, levels: f64): i32 {
  const factors = f64x2.splat(factor);
  const ranges = f64x2.splat(range);
  const scales = f64x2.splat(scale);
  const bounds = f64x2.splat(levels);
  let bad = i32x4.splat(0);
  let clipped = i64x2.splat(0);
  const end = delta + ((<usize>length) << 2);
  for (; delta < end; delta += 16, words += 16, out += 16) {
    const v = v128.load(delta);
    const w = v128.load(words);
    bad = v128.or(bad, notFinite(v));
    const x0 = f64x2.mul(f64x2.promote_low_f32x4(v), factors);
    const x1 = f64x2.mul(promoteHigh(v), factors);
    clipped = i64x2.sub(clipped, f64x2.gt(f64x2.abs(x0), ranges));
    clipped = i64x2.sub(clipped, f64x2.gt(f64x2.abs(x1), ranges));
    const y0 = roundByChance(f64x2.mul(clip(x0, ranges), scales), fractions(w));
    const y1 = roundByChance(f64x2.mul(clip(x1, ranges), scales), fractions(v128.shuffle<i64>(w, w, 1, 0)));
    v128.store(out, joinIntegers(y0, y1, bounds));
  }
  if (v128.any_true(bad)) return -1;
  return <i32>(i64x2.extract_lane(clipped, 0) + i64x2.extract_lane(clipped, 1));
}
