import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { contentHash } from "./content-hash.ts";
import { createDataset } from "./dataset.ts";
import { schemaText, type TableSchema, type TensorSchema } from "./dataset-schema.ts";
import { allocateExamples, concatenateExamples, copyRows, type Examples, takeRows, viewExamples } from "./examples.ts";
import { countMissing, requireComplete } from "./missing-cells.ts";
import { describeDataset } from "./registered-schema.ts";
import { startPortableSha256, startSha256 } from "./sha256.ts";

const images: TensorSchema = { kind: "tensor", shape: [3], element: "u8", scale: 1 / 255, task: "classification", classes: 4 };
const table: TableSchema = {
  kind: "table",
  task: "regression",
  columns: [
    { name: "a", role: "feature", type: "number" },
    { name: "b", role: "feature", type: "number" },
    { name: "y", role: "label", type: "number" },
  ],
};

function imageRows(...features: number[]): Examples {
  const count = features.length / 3;
  return {
    features: Uint8Array.from(features),
    featureScale: 1 / 255,
    featureLength: 3,
    targets: Uint8Array.from({ length: count }, (_, i) => i % 4),
    count,
  };
}

function tableRows(features: Float32Array, targets: Float32Array): Examples {
  return { features, featureLength: 2, targets, count: targets.length };
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

describe("contentHash", () => {
  it("is SHA-256 of the documented bytes", () => {
    const text = Buffer.from(schemaText(images));
    const bytes = Buffer.concat([
      Buffer.from("ciphernx/dataset/v1\n"),
      u64(text.length),
      text,
      u64(2),
      u64(3),
      Buffer.of(1, 1),
      Buffer.of(1, 2, 3, 4, 5, 6),
      Buffer.of(0, 1),
      u64(0),
      u64(3),
      Buffer.of(1, 1),
    ]);
    expect(contentHash(images, imageRows(1, 2, 3, 4, 5, 6), undefined)).toBe(createHash("sha256").update(bytes).digest("hex"));

    const tableText = Buffer.from(schemaText(table));
    const floats = (...values: number[]): Buffer =>
      Buffer.concat(values.map((value) => Buffer.from(new Uint8Array(new Float32Array([value]).buffer))));
    const tableBytes = Buffer.concat([
      Buffer.from("ciphernx/dataset/v1\n"),
      u64(tableText.length),
      tableText,
      u64(1),
      u64(2),
      Buffer.of(2, 2),
      floats(1.5),
      Buffer.of(0, 0, 0xc0, 0x7f),
      floats(-2),
      u64(1),
      u64(2),
      Buffer.of(2, 2),
      floats(0, 1),
      floats(3),
    ]);
    const train = tableRows(Float32Array.of(1.5, Number.NaN), Float32Array.of(-2));
    expect(contentHash(table, train, tableRows(Float32Array.of(0, 1), Float32Array.of(3)))).toBe(
      createHash("sha256").update(tableBytes).digest("hex"),
    );
  });

  it("has one NaN, whatever its bits", () => {
    const other = new Float32Array(2);
    new Uint32Array(other.buffer).set([0xffc0_1234, 0x7f80_0001]);
    const hash = (features: Float32Array): string => contentHash(table, tableRows(features, Float32Array.of(1)), undefined);
    expect(hash(other)).toBe(hash(Float32Array.of(Number.NaN, Number.NaN)));
    expect(hash(Float32Array.of(Infinity, 0))).not.toBe(hash(Float32Array.of(Number.NaN, 0)));
  });

  it("tells rows, labels, order, schema and parts apart", () => {
    const rows = imageRows(1, 2, 3, 4, 5, 6);
    const hashes = [
      contentHash(images, rows, undefined),
      contentHash(images, imageRows(1, 2, 3, 4, 5, 7), undefined),
      contentHash(images, imageRows(4, 5, 6, 1, 2, 3), undefined),
      contentHash(images, { ...rows, targets: Uint8Array.of(0, 2) }, undefined),
      contentHash({ ...images, classes: 5 }, rows, undefined),
      contentHash(images, viewExamples(rows, 0, 1), viewExamples(rows, 1, 2)),
      contentHash(images, rows, rows),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it("is the same for views, shared memory, and a host without a SHA-256 of its own", () => {
    const rows = imageRows(...Array.from({ length: 300 }, (_, i) => i % 256));
    const shared = allocateExamples(images, 100, { shared: true });
    copyRows(
      rows,
      Array.from({ length: 100 }, (_, i) => i),
      shared,
      0,
    );
    expect(contentHash(images, shared, undefined)).toBe(contentHash(images, rows, undefined));
    expect(contentHash(images, viewExamples(shared, 5, 9), undefined)).toBe(contentHash(images, takeRows(images, rows, [5, 6, 7, 8]), undefined));
    expect(contentHash(images, shared, rows, startPortableSha256())).toBe(contentHash(images, shared, rows, startSha256()));
  });
});

describe("Examples", () => {
  it("stores labels as narrow as the classes allow", () => {
    expect(allocateExamples({ ...images, classes: 256 }, 1).targets).toBeInstanceOf(Uint8Array);
    expect(allocateExamples({ ...images, classes: 257 }, 1).targets).toBeInstanceOf(Uint32Array);
    expect(allocateExamples(table, 1).targets).toBeInstanceOf(Float32Array);
    expect(allocateExamples(table, 1).featureScale).toBeUndefined();
  });

  it("joins parts", () => {
    const rows = imageRows(1, 2, 3, 4, 5, 6, 7, 8, 9);
    expect(concatenateExamples(images, [viewExamples(rows, 0, 1), viewExamples(rows, 1, 3)])).toEqual(rows);
  });
});

describe("createDataset", () => {
  it("refuses labels that the schema does not know", () => {
    const wrong = { ...imageRows(1, 2, 3), targets: Uint8Array.of(4) };
    expect(() => createDataset(images, wrong)).toThrow(/label of training row 1 is not a class below 4/);
    expect(() => createDataset(images, imageRows(1, 2, 3), wrong)).toThrow(/label of test row 1/);
    expect(() => createDataset(table, tableRows(Float32Array.of(1, 2), Float32Array.of(Number.NaN)))).toThrow(
      expect.objectContaining({ code: "DATA_INVALID" }),
    );
  });

  it("takes an empty test part for none", () => {
    const dataset = createDataset(images, imageRows(1, 2, 3), imageRows());
    expect(dataset.test).toBeUndefined();
    expect(dataset).toEqual(createDataset(images, imageRows(1, 2, 3)));
  });
});

describe("missing cells", () => {
  it("are counted by column, and refused where something is to be learnt", () => {
    const train = tableRows(Float32Array.of(1, Number.NaN, 2, Number.NaN), Float32Array.of(1, 2));
    const test = tableRows(Float32Array.of(1, Number.NaN), Float32Array.of(1));
    const dataset = createDataset(table, train, test);
    expect(countMissing(dataset)).toEqual([{ column: "b", count: 3 }]);
    expect(() => requireComplete(dataset, "patients")).toThrow(
      expect.objectContaining({ code: "DATA_INVALID", message: expect.stringContaining('patients has missing cells in "b" (3)') }),
    );
    expect(() => requireComplete(createDataset(images, imageRows(1, 2, 3)))).not.toThrow();
    expect(describeDataset(dataset)).toEqual({
      schema: { ...table, missingCells: [{ column: "b", count: 3 }] },
      trainExamples: 2,
      testExamples: 1,
      contentHash: dataset.contentHash,
    });
    const whole = createDataset(images, imageRows(1, 2, 3));
    expect(describeDataset(whole)).toEqual({ schema: images, trainExamples: 1, testExamples: 0, contentHash: whole.contentHash });
  });
});
