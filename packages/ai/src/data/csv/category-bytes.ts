/** The categories of a column by the bytes of their texts, so that a cell needs no text of its own. */
export interface CategoryBytes {
  /** The number of the category that the bytes from start to before `end` spell, whose hash is `hash`; −1 when there is none. */
  find(bytes: Uint8Array, start: number, end: number, hash: number): number;
}

/** One step of the hash of a cell's bytes, which begins at 0. */
export function hashByte(hash: number, byte: number): number {
  return (Math.imul(hash, 31) + byte) | 0;
}

/** A table with open addressing, at most half full, of the numbers of categories by their texts. */
export function categoryBytes(numbers: ReadonlyMap<string, number>): CategoryBytes {
  const names = [...numbers].map(([name, number]) => ({ bytes: new TextEncoder().encode(name), number }));
  const size = 2 ** Math.ceil(Math.log2(Math.max(4, names.length * 2)));
  const slots = new Int32Array(size).fill(-1);
  names.forEach(({ bytes }, entry) => {
    let slot = bytes.reduce(hashByte, 0) & (size - 1);
    while (slots[slot] !== -1) slot = (slot + 1) & (size - 1);
    slots[slot] = entry;
  });
  return {
    find(bytes, start, end, hash) {
      for (let slot = hash & (size - 1); ; slot = (slot + 1) & (size - 1)) {
        const entry = slots[slot]!;
        if (entry === -1) return -1;
        const name = names[entry]!;
        if (name.bytes.length !== end - start) continue;
        let i = 0;
        while (i < name.bytes.length && name.bytes[i] === bytes[start + i]) i += 1;
        if (i === name.bytes.length) return name.number;
      }
    },
  };
}
