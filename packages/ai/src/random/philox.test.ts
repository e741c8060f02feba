import { describe, expect, it } from "vitest";
import { philox4x32 } from "./philox.ts";

/** The three philox4x32-10 lines of Random123's tests/kat_vectors: counter[4] key[2] → output[4]. */
const KAT_VECTORS = `
00000000 00000000 00000000 00000000 00000000 00000000   6627e8d5 e169c58d bc57ac4c 9b00dbd8
ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff   408f276d 41c83b0e a20bc7c6 6d5451fd
243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0   d16cfe09 94fdcceb 5001e420 24126ea1
`;

describe("philox4x32-10", () => {
  const lines = KAT_VECTORS.trim().split("\n");
  it.each(lines)("Random123 kat_vectors: %s", (line) => {
    const words = Uint32Array.from(line.trim().split(/\s+/), (word) => Number.parseInt(word, 16));
    const out = new Uint32Array(4);
    philox4x32(words.subarray(4, 6), words.subarray(0, 4), out);
    expect(out).toEqual(words.subarray(6, 10));
  });
});
