import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TableSchema, TensorSchema } from "../dataset-schema.ts";
import { encodeIdx, type IdxArray, type IdxData, parseIdx } from "./idx-array.ts";
import { arrayExamples } from "../arrays/array-examples.ts";
import { inferArraySchema } from "../arrays/infer-array-schema.ts";

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.replaceAll(" ", "").match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

function joined(array: IdxArray): Uint8Array {
  const [header, body] = encodeIdx(array);
  return Uint8Array.from([...header, ...body]);
}

describe("parseIdx", () => {
  it("reads hand-made bytes of each type", () => {
    expect(parseIdx(fromHex("00000801 00000003 05 00 ff"))).toEqual({ shape: [3], data: Uint8Array.of(5, 0, 255) });
    expect(parseIdx(fromHex("00000803 00000001 00000002 00000002 01 02 03 04"))).toEqual({ shape: [1, 2, 2], data: Uint8Array.of(1, 2, 3, 4) });
    expect(parseIdx(fromHex("00000901 00000002 ff 7f"))).toEqual({ shape: [2], data: Int8Array.of(-1, 127) });
    expect(parseIdx(fromHex("00000b01 00000002 ffff 0100"))).toEqual({ shape: [2], data: Int16Array.of(-1, 256) });
    expect(parseIdx(fromHex("00000c01 00000001 80000000"))).toEqual({ shape: [1], data: Int32Array.of(-2_147_483_648) });
    expect(parseIdx(fromHex("00000d02 00000001 00000002 3f800000 c0490fdb"))).toEqual({
      shape: [1, 2],
      data: Float32Array.of(1, -Math.fround(Math.PI)),
    });
    expect(parseIdx(fromHex("00000e01 00000001 3ff8000000000000"))).toEqual({ shape: [1], data: Float64Array.of(1.5) });
  });

  it("reads files that begin as the published MNIST files do", () => {
    // "[offset] 0000 magic 0x00000801, 0004 number of items, 0008 unsigned bytes" of the database's own description.
    const labels = new Uint8Array(8 + 10_000);
    labels.set(fromHex("00000801 00002710 07 02 01"));
    expect(parseIdx(labels).shape).toEqual([10_000]);
    expect([...parseIdx(labels).data.subarray(0, 3)]).toEqual([7, 2, 1]);
  });

  it("gives back what was written", () => {
    const arrays: fc.Arbitrary<IdxData> = fc.oneof(
      fc.uint8Array(),
      fc.int8Array(),
      fc.int16Array(),
      fc.int32Array(),
      fc.float32Array(),
      fc.float64Array(),
    );
    fc.assert(
      fc.property(arrays, (data) => {
        expect(parseIdx(joined({ shape: [data.length], data }))).toEqual({ shape: [data.length], data });
      }),
      { numRuns: 100 },
    );
    expect(() => encodeIdx({ shape: [2, 2], data: Uint8Array.of(1) })).toThrow(RangeError);
  });

  it.each([
    ["", /too short/],
    ["0000", /too short/],
    ["1f8b0800 00000000", /not an IDX file: it begins with 1f 8b 08 00/],
    ["00000a01 00000001 00", /not an IDX file/],
    ["00010801 00000001 00", /not an IDX file/],
    ["00000800", /0 dimensions/],
    ["00000809 00000001", /9 dimensions/],
    ["00000803 00000001 0000", /within its header, after 10 of 16/],
    ["00000801 00000004 010203", /truncated: its shape 4 takes 12 bytes, it has 11/],
    ["00000801 00000002 010203", /has 1 byte after its last value/],
    ["00000802 00000001 00000000", /rows without values/],
    ["00000801 80000000 01", /more than 2147483647 values/],
    ["00000803 ffffffff ffffffff ffffffff", /more than 2147483647 values/],
    ["00000808 ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff", /more than 2147483647 values/],
    ["00000e01 7fffffff 00", /truncated/],
  ])("refuses %s", (hex, message) => {
    expect(() => parseIdx(fromHex(hex), "bad.idx")).toThrow(
      expect.objectContaining({ code: "DATA_INVALID", message: expect.stringMatching(message) }),
    );
    expect(() => parseIdx(fromHex(hex), "bad.idx")).toThrow(/^bad\.idx /);
  });

  it("never throws anything else, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (tail) => {
        try {
          parseIdx(Uint8Array.of(0, 0, 8, ...tail));
        } catch (error) {
          expect(error).toMatchObject({ code: "DATA_INVALID" });
        }
      }),
      { numRuns: 300 },
    );
  });
});

const images: TensorSchema = { kind: "tensor", shape: [2, 2], element: "u8", scale: 1 / 255, task: "classification", classes: 3 };

describe("arrayExamples", () => {
  const features: IdxArray = { shape: [2, 2, 2], data: Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 255) };
  const targets: IdxArray = { shape: [2], data: Uint8Array.of(2, 0) };
  const sources = { featuresSource: "images.idx", targetsSource: "labels.idx" };

  it("uses bytes as they lie", () => {
    const examples = arrayExamples(images, { features, targets, ...sources });
    expect(examples).toEqual({ features: features.data, featureScale: 1 / 255, featureLength: 4, targets: targets.data, count: 2 });
    expect(examples.features.buffer).toBe(features.data.buffer);
  });

  it("converts numbers for float schemas and many classes", () => {
    const floats: TensorSchema = { kind: "tensor", shape: [2], element: "f32", scale: 1, task: "classification", classes: 1_000 };
    const examples = arrayExamples(floats, {
      features: { shape: [2, 2], data: Int16Array.of(-1, 2, 3, 4) },
      targets: { shape: [2], data: Int32Array.of(999, 0) },
      ...sources,
    });
    expect(examples.features).toEqual(Float32Array.of(-1, 2, 3, 4));
    expect(examples.targets).toEqual(Uint32Array.of(999, 0));
    expect(examples.featureScale).toBeUndefined();
  });

  it("refuses what the schema does not declare, naming file and row", () => {
    const bad =
      (change: Partial<{ features: IdxArray; targets: IdxArray }>, schema = images) =>
      () =>
        arrayExamples(schema, { features, targets, ...sources, ...change });
    expect(bad({ features: { shape: [2, 3], data: new Uint8Array(6) } })).toThrow(/images\.idx holds rows of shape 3; the schema declares 2×2/);
    expect(bad({ features: { shape: [2, 2, 2], data: new Float32Array(8) } })).toThrow(/images\.idx does not hold bytes/);
    expect(bad({ targets: { shape: [3], data: new Uint8Array(3) } })).toThrow(/labels\.idx holds 3 labels for the 2 rows of images\.idx/);
    expect(bad({ targets: { shape: [1, 2], data: new Uint8Array(2) } })).toThrow(/labels\.idx has 2 dimensions/);
    expect(bad({ targets: { shape: [2], data: Uint8Array.of(0, 3) } })).toThrow(/labels\.idx row 2: the label is not a class in 0 to 2/);
    expect(bad({ targets: { shape: [2], data: Int8Array.of(0, -1) } })).toThrow(/row 2/);
    const floats: TensorSchema = { ...images, element: "f32", scale: 1 };
    expect(bad({ features: { shape: [2, 2, 2], data: Float32Array.of(0, 0, 0, 0, 0, Infinity, 0, 0) } }, floats)).toThrow(
      /row 2, value 1: the value is not finite/,
    );
  });

  it("checks a table's ranges and categories, and keeps missing cells", () => {
    const table: TableSchema = {
      kind: "table",
      task: "regression",
      columns: [
        { name: "age", role: "feature", type: "number", range: [0, 120] },
        { name: "sex", role: "feature", type: "category", categories: ["f", "m"] },
        { name: "dose", role: "label", type: "number" },
      ],
    };
    const read = (...values: number[]) =>
      arrayExamples(table, {
        features: { shape: [1, 2], data: Float32Array.from(values) },
        targets: { shape: [1], data: Float32Array.of(0.5) },
        ...sources,
      });
    expect(read(30, Number.NaN).features).toEqual(Float32Array.of(30, Number.NaN));
    expect(() => read(121, 0)).toThrow(/row 1, column "age": the value lies outside 0 to 120/);
    expect(() => read(30, 2)).toThrow(/column "sex"/);
    expect(() => read(30, 0.5)).toThrow(/column "sex"/);
  });
});

describe("inferArraySchema", () => {
  it("reads shape, type and classes", () => {
    const features: IdxArray = { shape: [3, 2, 2], data: new Uint8Array(12) };
    expect(inferArraySchema(features, { shape: [3], data: Uint8Array.of(0, 2, 1) })).toEqual(images);
    expect(inferArraySchema(features, { shape: [3], data: Uint8Array.of(0, 0, 0) }, { classes: 3 })).toEqual(images);
    expect(inferArraySchema({ shape: [1, 2], data: new Float64Array(2) }, { shape: [1], data: Float32Array.of(0.5) })).toEqual({
      kind: "tensor",
      shape: [2],
      element: "f32",
      scale: 1,
      task: "regression",
    });
  });

  it("refuses exchanged files and a single class", () => {
    const labels: IdxArray = { shape: [3], data: new Uint8Array(3) };
    expect(() => inferArraySchema(labels, labels)).toThrow(/exchanged|1 dimension/);
    expect(() => inferArraySchema({ shape: [3, 1], data: new Uint8Array(3) }, labels)).toThrow(expect.objectContaining({ code: "DATA_INVALID" }));
  });
});
