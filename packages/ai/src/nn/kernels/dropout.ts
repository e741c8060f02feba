// Philox4x32-10 (Salmon et al. 2011, §3.3), as random/philox.ts has it: four words of a key and a counter.

/** Word i is dropped when it is below the threshold: to[i] = 0, else `scale`. Words 4b … 4b + 3 are those of counter (b, 0, c2, c3). */
export function dropoutMask(to: usize, count: i32, key0: u32, key1: u32, c2: u32, c3: u32, threshold: u32, scale: f32): void {
  const blocks = <u32>((count + 3) >> 2);
  for (let block: u32 = 0; block < blocks; block++, to += 16) {
    let w0 = block;
    let w1: u32 = 0;
    let w2 = c2;
    let w3 = c3;
    let k0 = key0;
    let k1 = key1;
    for (let round = 0; round < 10; round++) {
      const p0 = <u64>w0 * 0xd2511f53;
      const p1 = <u64>w2 * 0xcd9e8d57;
      w0 = <u32>(p1 >> 32) ^ w1 ^ k0;
      w1 = <u32>p1;
      w2 = <u32>(p0 >> 32) ^ w3 ^ k1;
      w3 = <u32>p0;
      k0 += 0x9e3779b9;
      k1 += 0xbb67ae85;
    }
    store<f32>(to, w0 < threshold ? <f32>0 : scale, 0);
    store<f32>(to, w1 < threshold ? <f32>0 : scale, 4);
    store<f32>(to, w2 < threshold ? <f32>0 : scale, 8);
    store<f32>(to, w3 < threshold ? <f32>0 : scale, 12);
  }
}

/** to = a × b, element by element; padded to 4 numbers. */
export function multiply(a: usize, b: usize, to: usize, count: i32): void {
  for (const end = a + ((<usize>count) << 2); a < end; a += 16, b += 16, to += 16) v128.store(to, f32x4.mul(v128.load(a), v128.load(b)));
}
