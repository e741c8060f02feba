/** to[i] = f32(from[i]) × scale for `count` unsigned bytes; `from` and `to` may not overlap and are padded to 16. */
export function bytesToFloats(from: usize, to: usize, count: i32, scale: f32): void {
  const factor = f32x4.splat(scale);
  const end = from + <usize>count;
  while (from < end) {
    const bytes = v128.load(from);
    const low = i16x8.extend_low_i8x16_u(bytes);
    const high = i16x8.extend_high_i8x16_u(bytes);
    v128.store(to, f32x4.mul(f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(low)), factor), 0);
    v128.store(to, f32x4.mul(f32x4.convert_i32x4_u(i32x4.extend_high_i16x8_u(low)), factor), 16);
    v128.store(to, f32x4.mul(f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(high)), factor), 32);
    v128.store(to, f32x4.mul(f32x4.convert_i32x4_u(i32x4.extend_high_i16x8_u(high)), factor), 48);
    from += 16;
    to += 64;
  }
}
