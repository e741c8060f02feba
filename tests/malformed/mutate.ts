/** Malformed bytes out of well-formed ones, the same for the same seed: flips, cuts, insertions, repetitions, splices, extremes. @module */

/** Numbers in [0, below), the same sequence for the same seed (xorshift32, Marsaglia 2003). */
export type Dice = (below: number) => number;

export function dice(seed: number): Dice {
  let state = seed >>> 0 || 0x9e3779b9;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

/** What parsers of lengths, numbers and texts trip over. */
const SPLINTERS = [
  "\0",
  "\r\n",
  "\r\n\r\n",
  ":",
  ",",
  '"',
  "{",
  "[",
  "-",
  "%00",
  "..",
  "\uFEFF",
  "\u{1F4A5}",
  "1e999",
  "-1",
  "4294967296",
  "9007199254740993",
  "NaN",
].map((text) => Buffer.from(text));
const EXTREMES = [0x00, 0x7f, 0x80, 0xff];

/** A sample after one to four changes; `others` are what it may be spliced with. */
export function mutate(sample: Uint8Array, others: readonly Uint8Array[], roll: Dice): Buffer<ArrayBuffer> {
  let bytes: Buffer<ArrayBuffer> = Buffer.from(sample);
  for (let changes = 1 + roll(4); changes > 0; changes -= 1) bytes = change(bytes, others, roll);
  return bytes;
}

function change(bytes: Buffer<ArrayBuffer>, others: readonly Uint8Array[], roll: Dice): Buffer<ArrayBuffer> {
  const at = roll(bytes.length + 1);
  const end = Math.min(bytes.length, at + 1 + roll(16));
  switch (roll(8)) {
    case 0: {
      const flipped = Buffer.from(bytes);
      if (at < flipped.length) flipped[at] = flipped[at]! ^ (1 << roll(8));
      return flipped;
    }
    case 1:
      return Buffer.from(bytes.subarray(0, at));
    case 2:
      return Buffer.concat([bytes.subarray(0, at), SPLINTERS[roll(SPLINTERS.length)]!, bytes.subarray(at)]);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
    case 4:
      return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
    case 5: {
      const other = others[roll(others.length)]!;
      return Buffer.concat([bytes.subarray(0, at), other.subarray(roll(other.length + 1))]);
    }
    case 6: {
      const extreme = Buffer.from(bytes);
      return extreme.fill(EXTREMES[roll(EXTREMES.length)]!, at, Math.min(extreme.length, at + 1 + roll(8)));
    }
    default:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(Array.from({ length: 1 + roll(8) }, () => roll(256))), bytes.subarray(at)]);
  }
}
