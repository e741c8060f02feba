import { createCipheriv } from "node:crypto";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Keystream } from "./index.ts";
import { counterAt } from "./keystream.ts";
import { SP_800_38A_F_5_1 } from "./keystream.vectors.ts";
import { nodeKeystream } from "./node-keystream.ts";
import { webKeystream } from "./web-keystream.ts";

const key = hexToBytes(SP_800_38A_F_5_1.key);
const counter = hexToBytes(SP_800_38A_F_5_1.counter);

async function take(keystream: Keystream, counterBlock: Uint8Array, offsetBytes: number, ...lengths: readonly number[]): Promise<string> {
  const stream = keystream.open(key, counterBlock, offsetBytes);
  let hex = "";
  for (const length of lengths) {
    const into = new Uint8Array(length);
    await stream.generate(into);
    hex += bytesToHex(into);
  }
  return hex;
}

/** Block by block, from the block cipher and counters as big integers. */
function slowKeystream(counterBlock: Uint8Array, firstBlock: number, blocks: number): string {
  const first = BigInt(`0x${bytesToHex(counterBlock)}`);
  const cipher = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
  let hex = "";
  for (let block = 0; block < blocks; block += 1) {
    const count = BigInt.asUintN(128, first + BigInt(firstBlock + block));
    hex += cipher.update(count.toString(16).padStart(32, "0"), "hex", "hex");
  }
  return hex;
}

describe.each([
  ["node:crypto", nodeKeystream],
  ["WebCrypto", webKeystream],
] as const)("AES-128-CTR by %s", (_, keystream) => {
  it("gives the blocks of NIST SP 800-38A, F.5.1, which encrypt its plaintext", async () => {
    expect(await take(keystream, counter, 0, 64)).toBe(SP_800_38A_F_5_1.output);
    const plaintext = hexToBytes(SP_800_38A_F_5_1.plaintext);
    const encrypted = hexToBytes(SP_800_38A_F_5_1.output).map((byte, index) => byte ^ plaintext[index]!);
    expect(bytesToHex(encrypted)).toBe(SP_800_38A_F_5_1.ciphertext);
  });

  it("can be entered at every block, and goes on from call to call", async () => {
    for (const offset of [0, 16, 32, 48]) expect(await take(keystream, counter, offset, 64 - offset)).toBe(SP_800_38A_F_5_1.output.slice(offset * 2));
    expect(await take(keystream, counter, 0, 16, 32, 16)).toBe(SP_800_38A_F_5_1.output);
  });

  it("counts modulo 2^128, within a call, between calls and at the entry", async () => {
    const last = new Uint8Array(16).fill(0xff);
    const wanted = slowKeystream(last, 0, 4);
    expect(wanted.slice(32, 64)).toBe(slowKeystream(new Uint8Array(16), 0, 1));
    expect(await take(keystream, last, 0, 64)).toBe(wanted);
    expect(await take(keystream, last, 0, 16, 48)).toBe(wanted);
    expect(await take(keystream, last, 16, 48)).toBe(wanted.slice(32));
  });

  it("agrees with the block cipher from any counter and place", async () => {
    const property = fc.asyncProperty(
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.integer({ min: 0, max: 2 ** 44 }),
      fc.integer({ min: 1, max: 5 }),
      fc.boolean(),
      async (start, block, blocks, isNearEnd) => {
        const counterBlock = isNearEnd ? start.fill(0xff, 0, 13) : start;
        expect(await take(keystream, counterBlock, block * 16, blocks * 16)).toBe(slowKeystream(counterBlock, block, blocks));
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });

  it("fills whole blocks of its own size, and needs the key no more once it is open", async () => {
    const wiped = Uint8Array.from(key);
    const stream = keystream.open(wiped, counter, 0);
    wiped.fill(0);
    const into = new Uint8Array(keystream.blockBytes * 2);
    for (const at of [0, keystream.blockBytes]) await stream.generate(into.subarray(at, at + keystream.blockBytes));
    const wanted = createCipheriv("aes-128-ctr", key, counter).update(new Uint8Array(into.length));
    expect(Buffer.compare(into, wanted)).toBe(0);
  });

  it.each([-16, 8, 15.5, Number.NaN])("cannot be entered at byte %d", (offset) => {
    expect(() => keystream.open(key, counter, offset)).toThrow(RangeError);
  });
});

it("counterAt leaves what it is given alone", () => {
  const given = Uint8Array.from(counter);
  counterAt(given, 4096);
  expect(given).toEqual(counter);
});
