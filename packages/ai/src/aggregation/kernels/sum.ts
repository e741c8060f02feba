// Adds integer vectors to an int64 sum, four resident vectors at a time: the sum is then read and written once for four.
// `updates` is the first vector, the others follow at `stride` bytes. `length` is a multiple of 16.

/** Adds `count` vectors of i32. */
export function addInt32(sum: usize, updates: usize, stride: usize, count: i32, length: i32): void {
  const bytes = (<usize>length) << 2;
  for (; count >= 4; count -= 4, updates += stride << 2) {
    let a = updates;
    let b = a + stride;
    let c = b + stride;
    let d = c + stride;
    let s = sum;
    const end = a + bytes;
    for (; a < end; a += 16, b += 16, c += 16, d += 16, s += 32) {
      const low = i64x2.add(i64x2.add(v128.load_ext<i32>(a), v128.load_ext<i32>(b)), i64x2.add(v128.load_ext<i32>(c), v128.load_ext<i32>(d)));
      const high = i64x2.add(
        i64x2.add(v128.load_ext<i32>(a, 8), v128.load_ext<i32>(b, 8)),
        i64x2.add(v128.load_ext<i32>(c, 8), v128.load_ext<i32>(d, 8)),
      );
      v128.store(s, i64x2.add(v128.load(s), low));
      v128.store(s, i64x2.add(v128.load(s, 16), high), 16);
    }
  }
  for (; count > 0; count -= 1, updates += stride) {
    let s = sum;
    const end = updates + bytes;
    for (let a = updates; a < end; a += 16, s += 32) {
      v128.store(s, i64x2.add(v128.load(s), v128.load_ext<i32>(a)));
      v128.store(s, i64x2.add(v128.load(s, 16), v128.load_ext<i32>(a, 8)), 16);
    }
  }
}

/** Adds four i32 to the sum. */
function addQuad(s: usize, v: v128): void {
  v128.store(s, i64x2.add(v128.load(s), i64x2.extend_low_i32x4_s(v)));
  v128.store(s, i64x2.add(v128.load(s, 16), i64x2.extend_high_i32x4_s(v)), 16);
}

/** Adds `count` vectors of i16: four of them fit i32 before they are widened. */
export function addInt16(sum: usize, updates: usize, stride: usize, count: i32, length: i32): void {
  const bytes = (<usize>length) << 1;
  for (; count >= 4; count -= 4, updates += stride << 2) {
    let a = updates;
    let b = a + stride;
    let c = b + stride;
    let d = c + stride;
    let s = sum;
    const end = a + bytes;
    for (; a < end; a += 8, b += 8, c += 8, d += 8, s += 32) {
      const quad = i32x4.add(i32x4.add(v128.load_ext<i16>(a), v128.load_ext<i16>(b)), i32x4.add(v128.load_ext<i16>(c), v128.load_ext<i16>(d)));
      addQuad(s, quad);
    }
  }
  for (; count > 0; count -= 1, updates += stride) {
    let s = sum;
    const end = updates + bytes;
    for (let a = updates; a < end; a += 8, s += 32) addQuad(s, v128.load_ext<i16>(a));
  }
}

/** Adds eight i16 to the sum. */
function addOctet(s: usize, v: v128): void {
  addQuad(s, i32x4.extend_low_i16x8_s(v));
  addQuad(s + 32, i32x4.extend_high_i16x8_s(v));
}

/** Adds `count` vectors of i8: four of them fit i16 before they are widened. */
export function addInt8(sum: usize, updates: usize, stride: usize, count: i32, length: i32): void {
  const bytes = <usize>length;
  for (; count >= 4; count -= 4, updates += stride << 2) {
    let a = updates;
    let b = a + stride;
    let c = b + stride;
    let d = c + stride;
    let s = sum;
    const end = a + bytes;
    for (; a < end; a += 8, b += 8, c += 8, d += 8, s += 64) {
      const octet = i16x8.add(i16x8.add(v128.load_ext<i8>(a), v128.load_ext<i8>(b)), i16x8.add(v128.load_ext<i8>(c), v128.load_ext<i8>(d)));
      addOctet(s, octet);
    }
  }
  for (; count > 0; count -= 1, updates += stride) {
    let s = sum;
    const end = updates + bytes;
    for (let a = updates; a < end; a += 8, s += 64) addOctet(s, v128.load_ext<i8>(a));
  }
}

/** Adds one vector of i64, such as another sum. */
export function addInt64(sum: usize, partial: usize, length: i32): void {
  const end = sum + ((<usize>length) << 3);
  for (; sum < end; sum += 16, partial += 16) v128.store(sum, i64x2.add(v128.load(sum), v128.load(partial)));
}
