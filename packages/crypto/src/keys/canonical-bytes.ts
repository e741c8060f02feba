/**
 * Canonical bytes: the one way in which structured content is turned into bytes before it is signed or hashed.
 * Two different (domain, fields) pairs never give the same bytes, and bytes of one domain never pass for another's.
 *
 * Layout, all integers big-endian:
 *
 * ```
 * canonicalBytes(domain, fields) = value(domain) ‖ value(fields)
 *
 * value(text)    = 0x01 ‖ u32 byte length ‖ UTF-8 (well-formed text only, no normalisation)
 * value(bytes)   = 0x02 ‖ u32 byte length ‖ bytes
 * value(bigint)  = 0x03 ‖ u64                     (0 … 2^64 − 1)
 * value(number)  = 0x04 ‖ IEEE 754 binary64 bits  (NaN as 7ff8000000000000; −0 differs from 0)
 * value(list)    = 0x05 ‖ u32 number of items ‖ value(item) …
 * value(absent)  = 0x00                           (`undefined`)
 * ```
 *
 * Every value tells its own end, so no concatenation is ambiguous. A record is a list in an order that its
 * definition fixes; a map is a list of [key, value] lists sorted by the key's UTF-8 bytes.
 *
 * @module
 */

/** What canonical bytes can hold: text, bytes, an unsigned 64-bit integer (`bigint`), a double (`number`), absence, or a list of those. */
export type CanonicalValue = string | Uint8Array | bigint | number | undefined | readonly CanonicalValue[];

const TAG = { absent: 0, text: 1, bytes: 2, integer: 3, double: 4, list: 5 } as const;
const MAX_U32 = 0xffff_ffff;
const MAX_U64 = 0xffff_ffff_ffff_ffffn;

const utf8 = new TextEncoder();

/**
 * Encodes fields for signing or hashing, bound to a domain that names what the bytes are for.
 *
 * @throws RangeError for text with lone surrogates, integers outside 0 … 2^64 − 1, and lengths from 2^32 on.
 */
export function canonicalBytes(domain: string, fields: readonly CanonicalValue[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  append(parts, domain);
  append(parts, fields);
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

function append(parts: Uint8Array[], value: CanonicalValue): void {
  if (value === undefined) {
    parts.push(Uint8Array.of(TAG.absent));
  } else if (typeof value === "string") {
    if (!value.isWellFormed()) throw new RangeError("canonical bytes: text has a lone surrogate, which UTF-8 cannot hold");
    const encoded = utf8.encode(value);
    parts.push(tagWithLength(TAG.text, encoded.length), encoded);
  } else if (typeof value === "bigint") {
    if (value < 0n || value > MAX_U64) throw new RangeError(`canonical bytes: ${value} is not an unsigned 64-bit integer`);
    const part = new Uint8Array(9);
    part[0] = TAG.integer;
    new DataView(part.buffer).setBigUint64(1, value);
    parts.push(part);
  } else if (typeof value === "number") {
    const part = new Uint8Array(9);
    part[0] = TAG.double;
    const view = new DataView(part.buffer);
    // Hosts may store any NaN payload; the canonical form has one.
    if (Number.isNaN(value)) view.setBigUint64(1, 0x7ff8_0000_0000_0000n);
    else view.setFloat64(1, value);
    parts.push(part);
  } else if (value instanceof Uint8Array) {
    parts.push(tagWithLength(TAG.bytes, value.length), value);
  } else {
    parts.push(tagWithLength(TAG.list, value.length));
    for (const item of value) append(parts, item);
  }
}

function tagWithLength(tag: number, length: number): Uint8Array {
  if (length > MAX_U32) throw new RangeError(`canonical bytes: a length of ${length} does not fit 32 bits`);
  const part = new Uint8Array(5);
  part[0] = tag;
  new DataView(part.buffer).setUint32(1, length);
  return part;
}
