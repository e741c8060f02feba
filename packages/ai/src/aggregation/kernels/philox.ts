// Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011, §3.3), constants from the authors' Random123 library.
// The same numbers as philox.ts in the package's random folder, whose tests hold the published vectors.

/** Writes `blocks` blocks of 4 words, from block number `first` on, of the stream with this key and upper counter. */
export function fillPhilox(out: usize, blocks: i32, first: u32, key0: u32, key1: u32, upper0: u32, upper1: u32): void {
  const end = out + ((<usize>blocks) << 4);
  let index = first;
  for (; out < end; out += 16, index += 1) {
    let c0 = index;
    let c1: u32 = 0;
    let c2 = upper0;
    let c3 = upper1;
    let k0 = key0;
    let k1 = key1;
    for (let round = 0; round < 10; round += 1) {
      const p0 = <u64>0xd2511f53 * <u64>c0;
      const p1 = <u64>0xcd9e8d57 * <u64>c2;
      c0 = <u32>(p1 >> 32) ^ c1 ^ k0;
      c1 = <u32>p1;
      c2 = <u32>(p0 >> 32) ^ c3 ^ k1;
      c3 = <u32>p0;
      k0 += 0x9e3779b9;
      k1 += 0xbb67ae85;
    }
    store<u32>(out, c0);
    store<u32>(out, c1, 4);
    store<u32>(out, c2, 8);
    store<u32>(out, c3, 12);
  }
}
