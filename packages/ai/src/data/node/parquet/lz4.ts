/**
 * LZ4 blocks, as Parquet has them: bare ("LZ4_RAW"), or after Hadoop's manner in pieces, each after its two lengths ("LZ4").
 *
 * Source: Y. Collet, "LZ4 Block Format Description"; Apache Parquet, "Parquet compression definitions", LZ4 and LZ4_RAW.
 *
 * @module
 */

/** Unpacks a bare block to exactly so many bytes; undefined when it is damaged or has another length. */
export function unpackLz4Block(input: Uint8Array, length: number): Uint8Array | undefined {
  const output = new Uint8Array(length);
  let from = 0;
  let to = 0;
  /** A length whose first part is 15 goes on in bytes, until one is not 255. */
  const extended = (part: number): number => {
    let total = part;
    if (part !== 15) return total;
    for (;;) {
      const byte = input[from];
      if (byte === undefined) return NaN;
      from += 1;
      total += byte;
      if (byte !== 255) return total;
    }
  };
  while (from < input.length) {
    const token = input[from]!;
    from += 1;
    const literals = extended(token >> 4);
    if (!(from + literals <= input.length && to + literals <= length)) return undefined;
    output.set(input.subarray(from, from + literals), to);
    from += literals;
    to += literals;
    if (from === input.length) break;
    const offset = (input[from] ?? 0) | ((input[from + 1] ?? 0) << 8);
    from += 2;
    const match = extended(token & 15) + 4;
    if (!(from <= input.length && offset > 0 && offset <= to && to + match <= length)) return undefined;
    // Bytes of a match may be those that it has just written, so they are copied one by one.
    for (const end = to + match; to < end; to += 1) output[to] = output[to - offset]!;
  }
  return to === length ? output : undefined;
}

/** Unpacks pieces that each follow their lengths, or a bare block, which some writers have called by the same name. */
export function unpackLz4Pieces(input: Uint8Array, length: number): Uint8Array | undefined {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const output = new Uint8Array(length);
  let from = 0;
  let to = 0;
  while (from + 8 <= input.length) {
    const unpacked = view.getUint32(from);
    const packed = view.getUint32(from + 4);
    if (packed > input.length - from - 8 || unpacked > length - to) break;
    const piece = unpackLz4Block(input.subarray(from + 8, from + 8 + packed), unpacked);
    if (piece === undefined) break;
    output.set(piece, to);
    from += 8 + packed;
    to += unpacked;
  }
  return from === input.length && to === length ? output : unpackLz4Block(input, length);
}
