/**
 * A walk over a structure in Thrift's compact protocol that builds nothing: it finds where the structure ends, and that no list in it
 * is longer than the bytes that could hold it, before a parser that believes such lengths sees it.
 *
 * Source: Apache Thrift, "Thrift Compact protocol encoding".
 *
 * @module
 */

/** More than any Parquet file of a thousand columns and a thousand row groups needs. */
const MAX_ELEMENTS = 8_000_000;
const MAX_DEPTH = 24;

/**
 * Where the structure that begins at `start` ends.
 * @returns The offset after it, or undefined when it is no such structure, is nested too deeply, or has too many elements.
 */
export function endOfThrift(bytes: Uint8Array, start = 0): number | undefined {
  let at = start;
  let elements = 0;

  /** A variable-length number; NaN when it is longer than 64 bits or runs out of bytes. */
  function varint(): number {
    let value = 0;
    for (let i = 0; i < 10; i += 1) {
      const byte = bytes[at];
      if (byte === undefined) return NaN;
      at += 1;
      value += (byte & 0x7f) * 2 ** (7 * i);
      if ((byte & 0x80) === 0) return value;
    }
    return NaN;
  }

  function skip(type: number, depth: number, inList: boolean): boolean {
    elements += 1;
    if (elements > MAX_ELEMENTS || depth > MAX_DEPTH) return false;
    switch (type) {
      case 1: // true
      case 2: // false
        if (inList) at += 1;
        return true;
      case 3: // byte
        at += 1;
        return true;
      case 4: // i16
      case 5: // i32
      case 6: // i64
        return !Number.isNaN(varint());
      case 7: // double
        at += 8;
        return true;
      case 8: // binary
        return skipBytes(varint());
      case 9: // list
        return skipList(depth);
      case 12: // struct
        return skipStruct(depth);
      default: // sets and maps do not occur in Parquet
        return false;
    }
  }

  function skipBytes(length: number): boolean {
    at += length;
    return at <= bytes.length;
  }

  function skipList(depth: number): boolean {
    const head = bytes[at];
    if (head === undefined) return false;
    at += 1;
    const length = head >> 4 === 15 ? varint() : head >> 4;
    // Every element takes a byte at least.
    if (!(length <= bytes.length - at)) return false;
    for (let i = 0; i < length; i += 1) if (!skip(head & 0x0f, depth + 1, true)) return false;
    return at <= bytes.length;
  }

  function skipStruct(depth: number): boolean {
    for (;;) {
      const head = bytes[at];
      if (head === undefined) return false;
      at += 1;
      if ((head & 0x0f) === 0) return true;
      if (head >> 4 === 0 && Number.isNaN(varint())) return false;
      if (!skip(head & 0x0f, depth + 1, false)) return false;
    }
  }

  return skip(12, 0, false) && at <= bytes.length ? at : undefined;
}
