/** Who holds a party's shares, as the party itself draws them: Bell et al. (CCS 2020), Algorithm 4, step 3. @module */

/**
 * `count` ranks out of 0 to parties − 1 without `self`, uniformly and without replacement, ascending.
 * @param randomBytes from a CSPRNG
 * @throws RangeError when there are not as many others
 */
export function drawHolders(parties: number, self: number, count: number, randomBytes: (length: number) => Uint8Array): number[] {
  const others = parties - 1;
  if (!(count >= 0 && count <= others)) throw new RangeError(`${count} holders cannot be drawn from ${others} others.`);
  // Floyd's sampling: each step draws from one more, and takes the last where the drawn one is taken.
  const drawn = new Set<number>();
  for (let last = others - count; last < others; last += 1) {
    const rank = uniform(last + 1, randomBytes);
    drawn.add(drawn.has(rank) ? last : rank);
  }
  return [...drawn].map((rank) => (rank < self ? rank : rank + 1)).toSorted((a, b) => a - b);
}

/** A whole number below `bound` from 32 random bits, drawn again where the last numbers would be less likely than others. */
function uniform(bound: number, randomBytes: (length: number) => Uint8Array): number {
  const limit = 2 ** 32 - (2 ** 32 % bound);
  for (;;) {
    const bytes = randomBytes(4);
    const value = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    if (value < limit) return value % bound;
  }
}
