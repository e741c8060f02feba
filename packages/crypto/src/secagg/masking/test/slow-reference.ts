// The construction once more, slowly and from its description alone: big integers, bit by bit, HKDF by Node, nothing of this package.
import { createCipheriv, hkdfSync } from "node:crypto";

/** Masks of two parties (or of one, low = high) over a whole vector, as words before they are reduced. */
export function slowStream(context: Uint8Array, seed: Uint8Array, low: number, high: number, wordBytes: number, length: number): bigint[] {
  const CHUNK = 262_144;
  const words: bigint[] = [];
  for (let chunk = 0; chunk * CHUNK < length; chunk += 1) {
    const { key, counterBlock } = slowChunkKey(context, seed, low, high, chunk);
    const count = Math.min(CHUNK, length - chunk * CHUNK);
    const bytes = createCipheriv("aes-128-ctr", key, counterBlock).update(Buffer.alloc(count * wordBytes));
    for (let n = 0; n < count; n += 1) {
      let word = 0n;
      for (let byte = wordBytes - 1; byte >= 0; byte -= 1) word = (word << 8n) | BigInt(bytes[n * wordBytes + byte]!);
      words.push(word);
    }
  }
  return words;
}

export function slowChunkKey(context: Uint8Array, seed: Uint8Array, low: number, high: number, chunk: number): { key: Buffer; counterBlock: Buffer } {
  const domain = Buffer.from("ciphernx.secagg.v1/mask");
  const u32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  const u64 = (value: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt(value));
    return bytes;
  };
  const integers = [low, high, chunk].flatMap((value) => [Buffer.of(3), u64(value)]);
  const info = Buffer.concat([Buffer.of(1), u32(domain.length), domain, Buffer.of(5), u32(3), ...integers]);
  const okm = Buffer.from(hkdfSync("sha256", seed, context, info, 32));
  return { key: okm.subarray(0, 16), counterBlock: okm.subarray(16) };
}

export interface SlowMask {
  readonly seed: Uint8Array;
  readonly low: number;
  readonly high: number;
  readonly sign: 1 | -1;
}

/** A party's packed vector. */
export function slowMaskVector(
  context: Uint8Array,
  { bits, wordBytes }: { readonly bits: number; readonly wordBytes: number },
  vector: ArrayLike<number>,
  masks: readonly SlowMask[],
): Uint8Array {
  const total = Array.from(vector, BigInt);
  for (const { seed, low, high, sign } of masks) {
    const stream = slowStream(context, seed, low, high, wordBytes, vector.length);
    for (let n = 0; n < total.length; n += 1) total[n]! += BigInt(sign) * stream[n]!;
  }
  return slowPack(total, bits);
}

/** Bit by bit. */
export function slowPack(values: readonly bigint[], bits: number): Uint8Array {
  const packed = new Uint8Array(Math.ceil((values.length * bits) / 8));
  for (let n = 0; n < values.length; n += 1) {
    // At most 53 bits: a double holds them.
    const word = Number(BigInt.asUintN(bits, values[n]!));
    for (let b = 0; b < bits; b += 1) packed[(n * bits + b) >> 3]! |= (Math.floor(word / 2 ** b) % 2) << ((n * bits + b) & 7);
  }
  return packed;
}
