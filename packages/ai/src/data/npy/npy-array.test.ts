import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NumericArray } from "../arrays/numeric-array.ts";
import { fromBase64, NPY_FILES } from "./npy.fixture.ts";
import { readNpy } from "./npy-array.ts";

function read(bytes: Uint8Array, chunkBytes = Infinity, sizeBytes?: number): Promise<NumericArray> {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) chunks.push(bytes.subarray(at, at + chunkBytes));
  return readNpy(chunks, { source: "a.npy", sizeBytes });
}

/** An NPY file of version 1.0 with this dictionary. */
function npy(dictionary: string, data = new Uint8Array(0), mark = "\x93NUMPY\x01\x00"): Uint8Array {
  const text = `${dictionary}\n`;
  const head = mark + String.fromCharCode(text.length & 255, text.length >> 8) + text;
  return Uint8Array.from([...Buffer.from(head, "latin1"), ...data]);
}

const WHOLE = [0, 1, 2, 3, 4, 5];
const HALVES = [-1, -0.5, 0, 0.5, 1, 1.5];

describe("readNpy", () => {
  it.each([
    ["bool", Uint8Array.of(0, 0, 0, 1, 1, 1)],
    ["u1", Uint8Array.from(WHOLE)],
    ["u2", Uint16Array.from(WHOLE)],
    ["u4", Uint32Array.from(WHOLE)],
    ["u8", Int32Array.from(WHOLE)],
    ["i1", Int8Array.from(WHOLE)],
    ["i2", Int16Array.from(WHOLE)],
    ["i4", Int32Array.from(WHOLE)],
    ["i8", Int32Array.from(WHOLE)],
    ["f4", Float32Array.from(HALVES)],
    ["f8", Float64Array.from(HALVES)],
    ["v2", Float32Array.from(WHOLE)],
    ["v3", Float32Array.from(WHOLE)],
  ] as const)("reads what numpy wrote as %s", async (type, data) => {
    const bytes = fromBase64(NPY_FILES[type]);
    expect(await read(bytes)).toEqual({ shape: [2, 3], data });
    expect(await read(bytes, 7)).toEqual({ shape: [2, 3], data });
    expect(await read(bytes, Infinity, bytes.length)).toEqual({ shape: [2, 3], data });
  });

  it("reads other ranks, and integers of 64 bits as far as a double is exact", async () => {
    expect(await read(fromBase64(NPY_FILES.scalar))).toEqual({ shape: [], data: Float32Array.of(3) });
    expect(await read(fromBase64(NPY_FILES.vector))).toEqual({ shape: [3], data: Int32Array.of(0, 1, 2) });
    expect(await read(fromBase64(NPY_FILES.wide))).toEqual({ shape: [2], data: Float64Array.of(1, 2 ** 40) });
    await expect(read(fromBase64(NPY_FILES.toowide))).rejects.toThrow("holds a whole number beyond 2^53, value 1");
  });

  it.each([
    ["fortran", "is stored in Fortran order"],
    ["object", "holds Python objects, which are never unpickled"],
    ["structured", "holds a structured array"],
    ["big", "is stored big-endian"],
    ["complex", 'holds values of the type "<c8"'],
    ["half", 'holds values of the type "<f2"'],
    ["text", 'holds values of the type "<U2"'],
  ] as const)("refuses numpy's %s array by name", async (name, message) => {
    await expect(read(fromBase64(NPY_FILES[name]))).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringContaining(message) as string,
    });
  });

  it.each([
    [new Uint8Array(0), "does not begin with the format's mark"],
    [npy("{}", undefined, "\x93NUMPX\x01\x00"), "does not begin with the format's mark"],
    [npy("{}", undefined, "\x93NUMPY\x04\x00"), "has the NPY version 4.0"],
    [npy("{}", undefined, "\x93NUMPY\x01\x01"), "has the NPY version 1.1"],
    [npy("{}"), "no dictionary"],
    [npy("{'descr': '<f4', 'fortran_order': False}"), "no dictionary"],
    [npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2)}"), "no dictionary"],
    [npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}"), "no dictionary"],
    [npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'extra': 1}"), "no dictionary"],
    [npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'shape': (1,)}"), "no dictionary"],
    [npy("{'descr': __import__('os').system('id'), 'fortran_order': False, 'shape': (2,)}"), "no dictionary"],
    [npy("{'descr': '|b1', 'fortran_order': False, 'shape': (2,)}", Uint8Array.of(0, 2)), "neither 0 nor 1"],
    [npy("{'descr': '<f4', 'fortran_order': False, 'shape': (9007199254740991, 4)}"), "more than 2147483647 bytes"],
    [npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}"), "no dictionary"],
    [npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}"), "has 9 dimensions"],
    [npy("{'descr': '<f4', 'fortran_order': False, 'shape': (500000000,)}"), "is truncated: its shape 500000000 takes 20000000"],
    [npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", new Uint8Array(3)), "is truncated"],
    [npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", new Uint8Array(5)), "goes on after its last value"],
    [Uint8Array.of(...npy("", undefined, "\x93NUMPY\x02\x00").subarray(0, 8), 255, 255, 255, 255), "declares a header of 4294967295 bytes"],
    [npy("{'descr': '<f4', 'fortran_order'").subarray(0, 20), "ends within its header"],
  ])("refuses wrong file %#", async (bytes, message) => {
    const expected = { code: "DATA_INVALID", message: expect.stringContaining(message) as string };
    await expect(read(bytes)).rejects.toMatchObject(expected);
    await expect(read(bytes, 5)).rejects.toMatchObject(expected);
  });

  it("gives an array or a named error for whatever bytes change, and never anything else", async () => {
    const file = fromBase64(NPY_FILES.f4);
    await fc.assert(
      fc.asyncProperty(fc.nat(file.length - 1), fc.integer({ min: 0, max: 255 }), async (at, byte) => {
        const changed = file.slice();
        changed[at] = byte;
        const outcome: unknown = await read(changed).catch((error: unknown) => error);
        if (outcome instanceof Error) expect(outcome).toMatchObject({ code: "DATA_INVALID" });
        else expect(outcome).toMatchObject({ shape: expect.any(Array) as unknown });
      }),
      { numRuns: 300 },
    );
  });
});
