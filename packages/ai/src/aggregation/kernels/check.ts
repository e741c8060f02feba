// Whether every integer of a tile lies within ±limit. Integer comparisons of whole vectors; `bytes` is a multiple of 16.

export function checkRange8(values: usize, bytes: i32, limit: i32): bool {
  const most = i8x16.splat(<i8>limit);
  const least = i8x16.splat(<i8>-limit);
  let outside = i8x16.splat(0);
  const end = values + <usize>bytes;
  for (; values < end; values += 16) {
    const v = v128.load(values);
    outside = v128.or(outside, v128.or(i8x16.gt_s(v, most), i8x16.lt_s(v, least)));
  }
  return !v128.any_true(outside);
}

export function checkRange16(values: usize, bytes: i32, limit: i32): bool {
  const most = i16x8.splat(<i16>limit);
  const least = i16x8.splat(<i16>-limit);
  let outside = i16x8.splat(0);
  const end = values + <usize>bytes;
  for (; values < end; values += 16) {
    const v = v128.load(values);
    outside = v128.or(outside, v128.or(i16x8.gt_s(v, most), i16x8.lt_s(v, least)));
  }
  return !v128.any_true(outside);
}

export function checkRange32(values: usize, bytes: i32, limit: i32): bool {
  const most = i32x4.splat(limit);
  const least = i32x4.splat(-limit);
  let outside = i32x4.splat(0);
  const end = values + <usize>bytes;
  for (; values < end; values += 16) {
    const v = v128.load(values);
    outside = v128.or(outside, v128.or(i32x4.gt_s(v, most), i32x4.lt_s(v, least)));
  }
  return !v128.any_true(outside);
}
