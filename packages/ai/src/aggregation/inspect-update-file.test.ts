import { describe, expect, it } from "vitest";
import { encodeSafetensors } from "../tensor/index.ts";
import { encodeUpdateFile, inspectUpdateFile, updateFileHeader } from "./index.ts";

const expected = { dtype: "I16", length: 5 } as const;
const good = encodeUpdateFile(new Int16Array([1, 2, 3, 4, 5]));
const inspect = (bytes: Uint8Array, sizeBytes = bytes.length) => inspectUpdateFile(bytes.subarray(0, 256), sizeBytes, expected);

describe("an update's file", () => {
  it("is taken when it is the one that is expected", () => {
    expect(inspect(good)).toEqual({ dataOffsetBytes: updateFileHeader(expected).length });
  });

  const spaced = (() => {
    const header = '{ "coordinates":{"dtype":"I16","shape":[5],"data_offsets":[0,10]}}';
    const bytes = new Uint8Array(8 + header.length + 10);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
    bytes.set(new TextEncoder().encode(header), 8);
    return bytes;
  })();

  it.each([
    ["truncated", good.subarray(0, -1), /is cut off: 89 bytes, expected 90/],
    ["oversized", new Uint8Array([...good, 0]), /is too long: 91 bytes, expected 90/],
    ["empty", new Uint8Array(0), /one tensor "coordinates" of I16 \[5\] in 90 bytes: it has 0 bytes/],
    ["cut off in the header", good.subarray(0, 30), /it declares a header of 72 bytes but has 22/],
    ["of another type", encodeUpdateFile(new Int32Array(5)), /it has one tensor "coordinates" of I32 \[5\] in 100 bytes/],
    ["of another length", encodeUpdateFile(new Int16Array(6)), /it has one tensor "coordinates" of I16 \[6\] in 92 bytes/],
    ["a model", encodeSafetensors(new Map([["w", { shape: [1, 2], data: new Float32Array(2) }]])), /one tensor "w" of F32 \[1, 2\]/],
    ["of two tensors", encodeSafetensors(new Map(["a", "b"].map((name) => [name, { shape: [], data: new Float32Array(1) }]))), /2 tensors/],
    ["spelt otherwise", spaced, /its header is spelt another way/],
    ["noise", new Uint8Array(90).fill(0xa5), /it declares a header of \d+ bytes; at most/],
  ])("is refused when it is %s, with what was found", (_name, bytes, found) => {
    expect(() => inspect(bytes)).toThrow(expect.objectContaining({ code: "UPDATE_REJECTED", message: expect.stringMatching(found) as string }));
  });
});
