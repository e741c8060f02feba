import { beforeAll, describe, expect, it } from "vitest";
import { checkVector, instantiateAggregationKernel, loadAggregationKernel } from "./index.ts";
import type { AggregationKernel } from "./kernel.ts";

let kernel: AggregationKernel;
beforeAll(async () => {
  kernel = await loadAggregationKernel();
});

const ARRAYS = { I8: Int8Array, I16: Int16Array, I32: Int32Array };

describe.each([
  ["I8", 8],
  ["I16", 9],
  ["I16", 12],
  ["I16", 16],
  ["I32", 17],
  ["I32", 24],
  ["I32", 31],
  ["I32", 32],
] as const)("coordinates of %s with %i bits", (dtype, bits) => {
  const limit = 2 ** (bits - 1) - 1;
  const bytesOf = (values: readonly number[]) => new Uint8Array(ARRAYS[dtype].from(values).buffer);

  it("may reach both limits", () => {
    expect(checkVector(kernel, bytesOf([limit, -limit, 0, 1, -1]), { dtype, bits, length: 5 })).toEqual({ ok: true });
  });

  it("are refused one beyond either limit, at any place, with that place", () => {
    const most = ARRAYS[dtype].BYTES_PER_ELEMENT * 8 === bits ? [-limit - 1] : [-limit - 1, limit + 1];
    const perTile = 65_536 / ARRAYS[dtype].BYTES_PER_ELEMENT;
    for (const value of most) {
      for (const place of [0, 1, 17, perTile - 1, perTile, perTile + 2]) {
        const values = new ARRAYS[dtype](perTile + 3);
        values[place] = value;
        const check = checkVector(kernel, new Uint8Array(values.buffer), { dtype, bits, offset: 1000 });
        expect(check).toEqual({
          ok: false,
          reason: `Coordinate ${1000 + place} is ${value}; ${bits} bits allow −${limit} to ${limit}.`,
          index: 1000 + place,
        });
      }
    }
  });
});

describe("the bytes of a vector", () => {
  it("must be as many as its length says, and whole coordinates", () => {
    expect(checkVector(kernel, new Uint8Array(7), { dtype: "I16", bits: 16 })).toEqual({
      ok: false,
      reason: "There are 7 bytes of coordinates, not a multiple of 2.",
    });
    expect(checkVector(kernel, new Uint8Array(8), { dtype: "I16", bits: 16, length: 5 })).toEqual({
      ok: false,
      reason: "There are 8 bytes of coordinates, not 10.",
    });
  });

  it("may lie anywhere", () => {
    const bytes = new Uint8Array(9).subarray(1);
    bytes.set([0, 0, 0, 0, 0, 0, 0, 0x80]);
    expect(checkVector(kernel, bytes, { dtype: "I32", bits: 32 })).toMatchObject({ ok: false, index: 1 });
  });
});

describe("the kernels", () => {
  it("load from bytes and from a compiled module, as a browser has them", async () => {
    const { readFile } = await import("node:fs/promises");
    const bytes = await readFile(new URL(import.meta.resolve("@ciphernx/ai/wasm/aggregation.wasm")));
    for (const source of [bytes, await WebAssembly.compile(bytes)]) {
      const loaded = await instantiateAggregationKernel(source);
      expect(checkVector(loaded, new Uint8Array([127, 0x80]), { dtype: "I8", bits: 8 })).toMatchObject({ ok: false, index: 1 });
    }
  });

  it("leave the first page to themselves", () => {
    const { exports, addresses } = kernel.instantiate(16);
    expect(exports.heapBase()).toBeLessThanOrEqual(addresses[0]!);
  });
});
