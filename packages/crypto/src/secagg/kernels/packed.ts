// Coordinates of `bits` bits one after the other, least significant bit first. Eight of them, a group, are exactly `bits` bytes.

/** Where the four coordinates of half a group begin: the byte of each, in all four bytes of its lane. */
function firstBytes(begin: i32, bits: i32): v128 {
  const lanes = i32x4.splat(begin >> 3);
  return i32x4.replace_lane(
    i32x4.replace_lane(
      i32x4.replace_lane(i32x4.replace_lane(lanes, 0, (begin >> 3) * 0x01010101), 1, ((begin + bits) >> 3) * 0x01010101),
      2,
      ((begin + 2 * bits) >> 3) * 0x01010101,
    ),
    3,
    ((begin + 3 * bits) >> 3) * 0x01010101,
  );
}

/** 2^(8 − s) for each of the four coordinates, s being the bit of its first byte at which it begins. */
function liftings(begin: i32, bits: i32): v128 {
  const lanes = i32x4.splat(0x100 >> (begin & 7));
  return i32x4.replace_lane(
    i32x4.replace_lane(i32x4.replace_lane(lanes, 1, 0x100 >> ((begin + bits) & 7)), 2, 0x100 >> ((begin + 2 * bits) & 7)),
    3,
    0x100 >> ((begin + 3 * bits) & 7),
  );
}

/**
 * Four coordinates of at most 25 bits, with garbage above them: each lies within four bytes. Lanes cannot be shifted each by its own number of
 * bits; they are multiplied, so that all begin at bit 8 − 1 (`lift` halved keeps 25 bits and 7 within the lane), and are shifted back together.
 */
function narrow(at: usize, places: v128, lift: v128): v128 {
  return i32x4.shr_u(i32x4.mul(i8x16.swizzle(v128.load(at), places), lift), 7);
}

/** Four coordinates of at most 32 bits, which lie within five bytes: the upper four are multiplied into place, the lowest one apart. */
function wide(at: usize, upper: v128, lowest: v128, lift: v128): v128 {
  const bytes = v128.load(at);
  const low = i32x4.shr_u(i32x4.mul(i8x16.swizzle(bytes, lowest), lift), 8);
  return i32x4.add(i32x4.mul(i8x16.swizzle(bytes, upper), lift), low);
}

/** Adds a packed vector of at most 16 bits. */
export function addPacked16(sum: usize, packed: usize, bits: i32, groups: i32): void {
  const four = i32x4.splat(0x03020100);
  const half = <usize>bits >> 1;
  const begin = (bits & 1) << 2;
  const p0 = i8x16.add(firstBytes(0, bits), four);
  const p1 = i8x16.add(firstBytes(begin, bits), four);
  const l0 = i32x4.shr_u(liftings(0, bits), 1);
  const l1 = i32x4.shr_u(liftings(begin, bits), 1);
  const end = sum + ((<usize>groups) << 4);
  for (; sum < end; sum += 16, packed += bits) {
    const a = narrow(packed, p0, l0);
    const b = narrow(packed + half, p1, l1);
    v128.store(sum, i16x8.add(v128.load(sum), i16x8.shuffle(a, b, 0, 2, 4, 6, 8, 10, 12, 14)));
  }
}

/** Adds a packed vector of at most 32 bits. */
export function addPacked32(sum: usize, packed: usize, bits: i32, groups: i32): void {
  const half = <usize>bits >> 1;
  const begin = (bits & 1) << 2;
  const b0 = firstBytes(0, bits);
  const b1 = firstBytes(begin, bits);
  const end = sum + ((<usize>groups) << 5);
  if (bits <= 25) {
    const p0 = i8x16.add(b0, i32x4.splat(0x03020100));
    const p1 = i8x16.add(b1, i32x4.splat(0x03020100));
    const l0 = i32x4.shr_u(liftings(0, bits), 1);
    const l1 = i32x4.shr_u(liftings(begin, bits), 1);
    for (; sum < end; sum += 32, packed += bits) {
      v128.store(sum, i32x4.add(v128.load(sum), narrow(packed, p0, l0)));
      v128.store(sum, i32x4.add(v128.load(sum, 16), narrow(packed + half, p1, l1)), 16);
    }
    return;
  }
  // Bytes 1 to 4 of each coordinate, and its byte 0. Byte 16 is only ever asked for bits that fall out of the lane; a swizzle gives 0 for it.
  const u0 = i8x16.add(b0, i32x4.splat(0x04030201));
  const u1 = i8x16.add(b1, i32x4.splat(0x04030201));
  const lane = i32x4.splat(<i32>0xffffff00);
  const z0 = v128.or(b0, lane);
  const z1 = v128.or(b1, lane);
  const l0 = liftings(0, bits);
  const l1 = liftings(begin, bits);
  for (; sum < end; sum += 32, packed += bits) {
    v128.store(sum, i32x4.add(v128.load(sum), wide(packed, u0, z0, l0)));
    v128.store(sum, i32x4.add(v128.load(sum, 16), wide(packed + half, u1, z1, l1)), 16);
  }
}

/** Adds a packed vector of at most 57 bits: each coordinate lies within eight bytes. */
export function addPacked64(sum: usize, packed: usize, bits: i32, groups: i32): void {
  const group = (<usize>bits) << 3;
  const end = sum + ((<usize>groups) << 6);
  for (; sum < end; packed += bits) {
    for (let bit: usize = 0; bit < group; bit += bits, sum += 8) {
      store<u64>(sum, load<u64>(sum) + (load<u64>(packed + (bit >> 3)) >> (bit & 7)));
    }
  }
}

/** Packs words of at most 56 bits: eight bytes are stored, of which the complete ones stay, and the others begin the next store. */
function pack<W>(words: usize, packed: usize, bits: i32, groups: i32): void {
  const mask: u64 = ((<u64>1) << bits) - 1;
  const end = words + ((<usize>groups) << 3) * sizeof<W>();
  let held: u64 = 0;
  let filled: usize = 0;
  for (; words < end; words += sizeof<W>()) {
    held |= (<u64>load<W>(words) & mask) << filled;
    store<u64>(packed, held);
    filled += bits;
    packed += filled >> 3;
    held >>= filled & ~7;
    filled &= 7;
  }
}

export function pack16(words: usize, packed: usize, bits: i32, groups: i32): void {
  pack<u16>(words, packed, bits, groups);
}

export function pack32(words: usize, packed: usize, bits: i32, groups: i32): void {
  pack<u32>(words, packed, bits, groups);
}

export function pack64(words: usize, packed: usize, bits: i32, groups: i32): void {
  pack<u64>(words, packed, bits, groups);
}
