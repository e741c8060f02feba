import { describe, expect, it } from "vitest";
import { parseSafetensorsHeader } from "../tensor/index.ts";
import {
  checkEncoding,
  coordinateDtype,
  encodeUpdateFile,
  type EncodingSpec,
  updateFileHeader,
  updateFileSizeBytes,
  vectorLayout,
  vectorLength,
} from "./index.ts";

const encoding: EncodingSpec = { range: 1, bits: 32, rounding: "nearest", maxWeight: 60_000 };

describe("the layout of a vector", () => {
  it("has limbs enough for 52 bits of each extra value", () => {
    expect([8, 12, 16, 32].map((bits) => vectorLayout(10, ["loss", "correct"], { bits }))).toMatchObject([
      { dtype: "I8", limbBits: 7, limbs: 8, extras: 32, length: 42 },
      { dtype: "I16", limbBits: 11, limbs: 5, extras: 20, length: 30 },
      { dtype: "I16", limbBits: 15, limbs: 4, extras: 16, length: 26 },
      { dtype: "I32", limbBits: 15, limbs: 4, extras: 16, length: 26 },
    ]);
    expect(vectorLength(0, [], { bits: 8 })).toBe(16);
    expect(coordinateDtype({ bits: 17 })).toBe("I32");
  });
});

describe("an update's file", () => {
  it("is one tensor named coordinates, of the size that is planned", () => {
    const length = vectorLength(3, ["loss"], { bits: 12 });
    const file = encodeUpdateFile(Int16Array.from({ length }, (_, index) => index - 5));
    expect(file).toHaveLength(updateFileSizeBytes(3, 1, { bits: 12 }));
    const layout = parseSafetensorsHeader(file);
    expect(layout.entries).toMatchObject([{ name: "coordinates", dtype: "I16", shape: [length] }]);
    expect(layout.sizeBytes).toBe(file.length);
    expect(file.subarray(0, layout.headerBytes)).toEqual(updateFileHeader({ dtype: "I16", length }));
    expect(new DataView(file.buffer).getInt16(layout.headerBytes, true)).toBe(-5);
  });
});

describe("checkEncoding", () => {
  it("allows exactly as many parties as int64 sums keep below 2^53", () => {
    // ⌊(2^53 − 1) / (2^31 − 1)⌋ = 4194304.
    expect(checkEncoding({ ...encoding, maxWeight: 1 }, 4_194_304)).toEqual({ ok: true });
    expect(checkEncoding({ ...encoding, maxWeight: 1 }, 4_194_305)).toMatchObject({
      ok: false,
      reason: expect.stringContaining("4194305 coordinates of 32 bits") as string,
    });
    expect(checkEncoding({ ...encoding, bits: 8 }, 2 ** 33)).toEqual({ ok: true });
  });

  it("allows exactly as many weights", () => {
    const maxWeight = 2 ** 51;
    expect(checkEncoding({ ...encoding, maxWeight }, 3)).toEqual({ ok: true });
    expect(checkEncoding({ ...encoding, maxWeight }, 4)).toMatchObject({
      ok: false,
      reason: expect.stringContaining("weights of 4 parties") as string,
    });
  });

  it.each([
    [{ bits: 7 }, "8 to 32 bits"],
    [{ bits: 33 }, "8 to 32 bits"],
    [{ bits: 12.5 }, "8 to 32 bits"],
    [{ range: 0 }, "range 0"],
    [{ range: -1 }, "range -1"],
    [{ range: NaN }, "range NaN"],
    [{ range: Infinity }, "range Infinity"],
    [{ range: 5e-324 }, "range 5e-324"],
    [{ maxWeight: 0 }, "weight 0"],
    [{ maxWeight: 1.5 }, "weight 1.5"],
    [{ maxWeight: 2 ** 52 }, "largest weight"],
  ])("refuses %o", (wrong, reason) => {
    expect(checkEncoding({ ...encoding, ...wrong }, 10)).toMatchObject({ ok: false, reason: expect.stringContaining(reason) as string });
  });

  it.each([0, -1, 1.5, NaN])("refuses %d parties", (parties) => {
    expect(checkEncoding(encoding, parties)).toMatchObject({ ok: false });
  });
});
