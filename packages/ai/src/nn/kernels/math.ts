// exp and log of our own, since those of hosts differ. Polynomials and constants: Cephes 2.8, single precision
// (S. L. Moshier, 1989, expf.c, logf.c, tanhf.c), without fused operations.

function f(x: f32): v128 {
  return f32x4.splat(x);
}

/** 2^n as a number, n in [-126, 127]. */
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

/** e^x of four lanes, subnormal results included; NaN stays NaN. */
export function exp4(x: v128): v128 {
  // Beyond these the result is 0 or infinity; pmin and pmax let NaN through.
  const t = f32x4.pmin(f32x4.pmax(x, f(-104)), f(89));
  const n = f32x4.nearest(f32x4.mul(t, f(1.44269504088896341)));
  // ln 2 in two parts, the first with few bits, so that n × it is exact.
  let r = f32x4.sub(t, f32x4.mul(n, f(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, f(-2.1219444e-4)));
  let p = f(1.98756915e-4);
  p = f32x4.add(f32x4.mul(p, r), f(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, r), f(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, r), f(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, r), f(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, r), f(5.0000001201e-1));
  p = f32x4.add(f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), r), f(1));
  // 2^n in two factors: n reaches from -150 to 128.
  const whole = i32x4.trunc_sat_f32x4_s(n);
  const half = i32x4.shr_s(whole, 1);
  return f32x4.mul(f32x4.mul(p, powerOfTwo(half)), powerOfTwo(i32x4.sub(whole, half)));
}

/** ln x of four lanes: -∞ for 0, NaN below 0. */
export function log4(x: v128): v128 {
  const tiny = f32x4.lt(x, f(1.17549435e-38));
  const scaled = v128.bitselect(f32x4.mul(x, f(8388608)), x, tiny);
  // x = m × 2^e with m in [√½, √2).
  const offset = i32x4.sub(scaled, i32x4.splat(0x3f3504f3));
  let e = i32x4.shr_s(offset, 23);
  const m = i32x4.sub(scaled, i32x4.shl(e, 23));
  e = i32x4.sub(e, v128.and(tiny, i32x4.splat(23)));
  const k = f32x4.convert_i32x4_s(e);
  const g = f32x4.sub(m, f(1));
  const z = f32x4.mul(g, g);
  let p = f(7.0376836292e-2);
  p = f32x4.add(f32x4.mul(p, g), f(-1.151461031e-1));
  p = f32x4.add(f32x4.mul(p, g), f(1.167699874e-1));
  p = f32x4.add(f32x4.mul(p, g), f(-1.2420140846e-1));
  p = f32x4.add(f32x4.mul(p, g), f(1.4249322787e-1));
  p = f32x4.add(f32x4.mul(p, g), f(-1.6668057665e-1));
  p = f32x4.add(f32x4.mul(p, g), f(2.0000714765e-1));
  p = f32x4.add(f32x4.mul(p, g), f(-2.4999993993e-1));
  p = f32x4.add(f32x4.mul(p, g), f(3.3333331174e-1));
  let y = f32x4.mul(f32x4.mul(p, g), z);
  y = f32x4.add(y, f32x4.mul(k, f(-2.1219444e-4)));
  y = f32x4.sub(y, f32x4.mul(f(0.5), z));
  y = f32x4.add(f32x4.add(g, y), f32x4.mul(k, f(0.693359375)));
  y = v128.bitselect(f(-Infinity), y, f32x4.eq(x, f(0)));
  // Infinity and NaN are their own logarithm.
  y = v128.bitselect(y, x, f32x4.lt(x, f(Infinity)));
  return v128.bitselect(f(NaN), y, f32x4.lt(x, f(0)));
}

/** ln(1 + u) for u ≥ 0 with the accuracy of log4: what 1 + u lost in rounding is put back as a factor. */
export function log1p4(u: v128): v128 {
  const w = f32x4.add(f(1), u);
  const d = f32x4.sub(w, f(1));
  const corrected = f32x4.div(f32x4.mul(log4(w), u), d);
  return v128.bitselect(u, corrected, f32x4.eq(d, f(0)));
}

/** 1 / (1 + e^-x) of four lanes. */
export function sigmoid4(x: v128): v128 {
  return f32x4.div(f(1), f32x4.add(f(1), exp4(f32x4.neg(x))));
}

/** tanh x of four lanes: a polynomial near 0, 1 − 2/(e^2|x| + 1) elsewhere. */
export function tanh4(x: v128): v128 {
  const magnitude = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  let p = f(-5.70498872745e-3);
  p = f32x4.add(f32x4.mul(p, z), f(2.06390887954e-2));
  p = f32x4.add(f32x4.mul(p, z), f(-5.37397155531e-2));
  p = f32x4.add(f32x4.mul(p, z), f(1.33314422036e-1));
  p = f32x4.add(f32x4.mul(p, z), f(-3.33332819422e-1));
  const near = f32x4.add(f32x4.mul(f32x4.mul(p, z), x), x);
  const e = exp4(f32x4.add(magnitude, magnitude));
  const far = f32x4.sub(f(1), f32x4.div(f(2), f32x4.add(e, f(1))));
  const signed = v128.or(far, v128.and(x, i32x4.splat(0x80000000)));
  return v128.bitselect(near, signed, f32x4.lt(magnitude, f(0.625)));
}

/** ln of one number, by the same polynomial. */
export function log1(x: f32): f32 {
  return f32x4.extract_lane(log4(f32x4.splat(x)), 0);
}
