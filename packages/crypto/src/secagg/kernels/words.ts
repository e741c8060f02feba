// Adds mask streams to a sum and takes them off, four at a time: the sum is then read and written once for four.
// `streams` is the first one, the others follow at `stride` bytes. `bytes` is a multiple of 64.

function addTo<T>(at: usize, value: v128): void {
  v128.store(at, v128.add<T>(v128.load(at), value));
}

function subtractFrom<T>(at: usize, value: v128): void {
  v128.store(at, v128.sub<T>(v128.load(at), value));
}

/** Four streams' sixteen bytes at an offset. */
function quad<T>(a: usize, b: usize, c: usize, d: usize, offset: usize): v128 {
  return v128.add<T>(v128.add<T>(v128.load(a + offset), v128.load(b + offset)), v128.add<T>(v128.load(c + offset), v128.load(d + offset)));
}

function addWords<T>(sum: usize, streams: usize, stride: usize, count: i32, bytes: usize): void {
  for (; count >= 4; count -= 4, streams += stride << 2) {
    let a = streams;
    let b = a + stride;
    let c = b + stride;
    let d = c + stride;
    let s = sum;
    const end = a + bytes;
    for (; a < end; a += 64, b += 64, c += 64, d += 64, s += 64) {
      addTo<T>(s, quad<T>(a, b, c, d, 0));
      addTo<T>(s + 16, quad<T>(a, b, c, d, 16));
      addTo<T>(s + 32, quad<T>(a, b, c, d, 32));
      addTo<T>(s + 48, quad<T>(a, b, c, d, 48));
    }
  }
  for (; count > 0; count -= 1, streams += stride) {
    let s = sum;
    const end = streams + bytes;
    for (let a = streams; a < end; a += 64, s += 64) {
      addTo<T>(s, v128.load(a));
      addTo<T>(s + 16, v128.load(a, 16));
      addTo<T>(s + 32, v128.load(a, 32));
      addTo<T>(s + 48, v128.load(a, 48));
    }
  }
}

function subtractWords<T>(sum: usize, streams: usize, stride: usize, count: i32, bytes: usize): void {
  for (; count >= 4; count -= 4, streams += stride << 2) {
    let a = streams;
    let b = a + stride;
    let c = b + stride;
    let d = c + stride;
    let s = sum;
    const end = a + bytes;
    for (; a < end; a += 64, b += 64, c += 64, d += 64, s += 64) {
      subtractFrom<T>(s, quad<T>(a, b, c, d, 0));
      subtractFrom<T>(s + 16, quad<T>(a, b, c, d, 16));
      subtractFrom<T>(s + 32, quad<T>(a, b, c, d, 32));
      subtractFrom<T>(s + 48, quad<T>(a, b, c, d, 48));
    }
  }
  for (; count > 0; count -= 1, streams += stride) {
    let s = sum;
    const end = streams + bytes;
    for (let a = streams; a < end; a += 64, s += 64) {
      subtractFrom<T>(s, v128.load(a));
      subtractFrom<T>(s + 16, v128.load(a, 16));
      subtractFrom<T>(s + 32, v128.load(a, 32));
      subtractFrom<T>(s + 48, v128.load(a, 48));
    }
  }
}

export function addWords16(sum: usize, streams: usize, stride: usize, count: i32, bytes: usize): void {
  addWords<i16>(sum, streams, stride, count, bytes);
}

export function addWords32(sum: usize, streams: usize, stride: usize, count: i32, bytes: usize): void {
  addWords<i32>(sum, streams, stride, count, bytes);
}

export function addWords64(sum: usize, streams: usize, stride: usize, count: i32, bytes: usize): void {
  addWords<i64>(sum, streams, stride, count, bytes);
}

export function subtractWords16(sum: usize, streams: usize, stride: usize, count: i32, bytes: usize): void {
  subtractWords<i16>(sum, streams, stride, count, bytes);
}

export function subtractWords32(sum: usize, streams: usize, stride: usize, count: i32, bytes: usize): void {
  subtractWords<i32>(sum, streams, stride, count, bytes);
}

export function subtractWords64(sum: usize, streams: usize, stride: usize, count: i32, bytes: usize): void {
  subtractWords<i64>(sum, streams, stride, count, bytes);
}

/** Coordinates of i32 as words of i64. */
export function widen(values: usize, words: usize, groups: i32): void {
  const end = values + ((<usize>groups) << 5);
  for (; values < end; values += 16, words += 32) {
    v128.store(words, v128.load_ext<i32>(values));
    v128.store(words, v128.load_ext<i32>(values, 8), 16);
  }
}

// The sums as i64: what lies above the lowest `bits` is replaced by the sign.

export function extend16(words: usize, sums: usize, bits: i32, groups: i32): void {
  const shift = 16 - bits;
  const end = words + ((<usize>groups) << 4);
  for (; words < end; words += 16, sums += 64) {
    const v = i16x8.shr_s(i16x8.shl(v128.load(words), shift), shift);
    const low = i32x4.extend_low_i16x8_s(v);
    const high = i32x4.extend_high_i16x8_s(v);
    v128.store(sums, i64x2.extend_low_i32x4_s(low));
    v128.store(sums, i64x2.extend_high_i32x4_s(low), 16);
    v128.store(sums, i64x2.extend_low_i32x4_s(high), 32);
    v128.store(sums, i64x2.extend_high_i32x4_s(high), 48);
  }
}

export function extend32(words: usize, sums: usize, bits: i32, groups: i32): void {
  const shift = 32 - bits;
  const end = words + ((<usize>groups) << 5);
  for (; words < end; words += 16, sums += 32) {
    const v = i32x4.shr_s(i32x4.shl(v128.load(words), shift), shift);
    v128.store(sums, i64x2.extend_low_i32x4_s(v));
    v128.store(sums, i64x2.extend_high_i32x4_s(v), 16);
  }
}

export function extend64(words: usize, sums: usize, bits: i32, groups: i32): void {
  const shift = 64 - bits;
  const end = words + ((<usize>groups) << 6);
  for (; words < end; words += 16, sums += 16) v128.store(sums, i64x2.shr_s(i64x2.shl(v128.load(words), shift), shift));
}
