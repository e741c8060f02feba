/** A set of places in a list as bits: place n is bit n mod 8 of byte ⌊n/8⌋, least significant first. */
export function bitmapOf(size: number, places: Iterable<number>): Uint8Array<ArrayBuffer> {
  const bitmap = new Uint8Array(Math.ceil(size / 8));
  for (const place of places) {
    if (!Number.isSafeInteger(place) || place < 0 || place >= size) throw new RangeError(`A list of ${size} has no place ${place}.`);
    bitmap[place >> 3]! |= 1 << (place & 7);
  }
  return bitmap;
}

/** The places of a set, ascending. @throws RangeError for bytes that are no set of places of a list of that size: each set has one form */
export function placesOf(bitmap: Uint8Array, size: number): number[] {
  if (bitmap.length !== Math.ceil(size / 8))
    throw new RangeError(`A set of a list of ${size} has ${Math.ceil(size / 8)} bytes, not ${bitmap.length}.`);
  const places: number[] = [];
  for (const [index, byte] of bitmap.entries()) {
    for (let bits = byte; bits !== 0; bits &= bits - 1) places.push(8 * index + (31 - Math.clz32(bits & -bits)));
  }
  if ((places.at(-1) ?? -1) >= size) throw new RangeError(`A set of a list of ${size} names place ${places.at(-1)}.`);
  return places;
}
