import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TableSchema } from "../../dataset-schema.ts";
import type { Examples } from "../../examples.ts";
import { fromBase64 } from "../../npy/npy.fixture.ts";
import { addDataset } from "../add-dataset.ts";
import { loadDataset } from "../load-dataset.ts";
import { loadParquetExamples, loadTable } from "../table-files.ts";
import { inferParquetFiles, readParquetInto } from "./index.ts";
import { PARQUET_FILES } from "./parquet.fixture.ts";

/** Changed bytes at which decoders stumbled: a column that has lost its path (in "delta"), a number of another type than declared (in "gzip"). */
const SPOILT: readonly [changes: [at: number, byte: number][]][] = [[[[320, 51]]], [[[785, 22]]]];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ciphernx-parquet-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function file(bytes: Uint8Array): Promise<string> {
  const path = join(folder, "p.parquet");
  await writeFile(path, bytes);
  return path;
}

const schema: TableSchema = {
  kind: "table",
  task: "classification",
  columns: [
    { name: "sex", role: "feature", type: "category", categories: ["f", "m"] },
    { name: "age", role: "feature", type: "number" },
    { name: "n", role: "feature", type: "number" },
    { name: "smoker", role: "feature", type: "category", categories: ["false", "true"] },
    { name: "when", role: "id", type: "text" },
    { name: "ill", role: "label", type: "category", categories: ["no", "yes"] },
  ],
};

const expected: Examples = {
  features: Float32Array.of(0, 50, 1, 1, 1, 61.5, 2, 0, 1, NaN, 3, NaN, 0, 33, 2 ** 40, 1),
  featureLength: 4,
  targets: Uint8Array.of(0, 1, 0, 1),
  count: 4,
};

async function read(bytes: Uint8Array, of: TableSchema = schema): Promise<Examples> {
  return (await loadTable(of, [await file(bytes)], readParquetInto)).examples;
}

const bytesOf = (name: keyof typeof PARQUET_FILES): Uint8Array => fromBase64(PARQUET_FILES[name]);

/** A table whose label is y and whose features are these, as numbers. */
function numbers(...names: readonly string[]): TableSchema {
  return {
    kind: "table",
    task: "classification",
    columns: [
      ...names.map((name) => ({ name, role: "feature" as const, type: "number" as const })),
      { name: "y", role: "label", type: "category", categories: ["0", "1", "a", "b", "p", "q"] },
    ],
  };
}

describe("readParquetInto", () => {
  it.each(["none", "snappy", "gzip", "zstd", "brotli", "lz4", "v2pages"] as const)("reads what pyarrow wrote: %s", async (name) => {
    expect(await read(bytesOf(name))).toEqual(expected);
    expect(await loadParquetExamples(schema, [await file(bytesOf(name))])).toEqual(expected);
  });

  it("reads other types and encodings", async () => {
    expect((await read(bytesOf("types"), numbers("i8", "u32", "u64", "f32", "f16", "dec"))).features).toEqual(
      Float32Array.of(-1, 4_294_967_295, 1, 0.5, 0.5, 1.25, 2, 1, 2 ** 33, NaN, 2, NaN),
    );
    expect(await read(bytesOf("delta"), numbers("a", "b"))).toMatchObject({
      features: Float32Array.of(1, 1.5, 5, 2.5, 9, 3.5),
      targets: Uint8Array.of(4, 5, 4),
    });
  });

  it("keeps texts of columns that a split goes by", async () => {
    const path = await file(bytesOf("snappy"));
    const { columns } = await loadTable(schema, [path, path], readParquetInto, { keep: ["when", "n"] });
    const times = ["1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00.001Z", "1970-01-01T00:00:00.002Z", "1970-01-01T00:00:00.003Z"];
    expect(columns).toEqual(
      new Map([
        ["when", [...times, ...times]],
        ["n", ["1", "2", "3", "1099511627776", "1", "2", "3", "1099511627776"]],
      ]),
    );
  });

  it("refuses nested columns by name unless they are ignored", async () => {
    const nested = numbers("a", "tags");
    await expect(read(bytesOf("nested"), nested)).rejects.toThrow('the column "tags" holds a list; nested columns are not read');
    await expect(read(bytesOf("struct"), numbers("a", "s"))).rejects.toThrow('the column "s" holds a structure');
    const ignoring: TableSchema = {
      ...nested,
      columns: nested.columns.map((column) => (column.name === "tags" ? { name: "tags", role: "ignore", type: "text" } : column)),
    };
    expect((await read(bytesOf("nested"), ignoring)).features).toEqual(Float32Array.of(1, 2));
  });

  it("names row and column of what the schema does not declare", async () => {
    const change = (name: string, column: Partial<TableSchema["columns"][number]>): TableSchema => ({
      ...schema,
      columns: schema.columns.map((one) => (one.name === name ? ({ ...one, ...column } as typeof one) : one)),
    });
    await expect(read(bytesOf("snappy"), change("n", { range: [0, 100] } as never))).rejects.toThrow(
      'row 4, column "n": the cell is not a number from 0 to 100',
    );
    await expect(read(bytesOf("snappy"), change("when", { role: "feature", type: "number" } as never))).rejects.toThrow('row 1, column "when"');
    await expect(read(bytesOf("snappy"), change("sex", { name: "gender" }))).rejects.toThrow('the column "gender" is missing');
    await expect(read(bytesOf("snappy"), change("ill", { categories: ["no", "maybe"] }))).rejects.toThrow('row 2, column "ill"');
  });

  it("refuses what is no Parquet file", async () => {
    const whole = bytesOf("snappy");
    const wrong: readonly (readonly [Uint8Array, string])[] = [
      [new Uint8Array(0), "is too short for a Parquet file"],
      [new Uint8Array(64), "is not a Parquet file, or is truncated"],
      [whole.subarray(0, -1), "is not a Parquet file, or is truncated"],
      [Uint8Array.from([...whole.subarray(0, -4), ...Buffer.from("PARE")]), "is encrypted"],
      [Uint8Array.from([...whole.subarray(0, -8), 255, 255, 255, 127, ...whole.subarray(-4)]), "declares a footer of 2147483647 bytes"],
      [Uint8Array.from([...whole.subarray(0, -8), 3, 0, 0, 0, ...whole.subarray(-4)]), "has a damaged footer"],
      [Uint8Array.from([...whole.subarray(0, 4), ...whole.subarray(900)]), ""],
    ];
    for (const [bytes, message] of wrong) {
      await expect(read(bytes)).rejects.toMatchObject({ code: "DATA_INVALID", message: expect.stringContaining(message) as string });
    }
  });

  it.each(["none", "snappy", "gzip", "zstd", "lz4", "v2pages", "delta"] as const)(
    "gives rows or a named error for whatever bytes change: %s",
    async (name) => {
      const whole = bytesOf(name);
      const of = name === "delta" ? numbers("a", "b") : schema;
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 3 }),
          async (changes) => {
            const changed = whole.slice();
            for (const [at, byte] of changes) changed[at] = byte;
            const outcome: unknown = await read(changed, of).catch((error: unknown) => error);
            if (outcome instanceof Error) expect(outcome).toMatchObject({ code: "DATA_INVALID" });
            else expect(outcome).toMatchObject({ count: expect.any(Number) as unknown });
          },
        ),
        { numRuns: 150, examples: SPOILT.filter(([changes]) => changes.every(([at]) => at < whole.length)) },
      );
    },
  );
});

describe("inferParquetFiles", () => {
  it("proposes what it would of the same rows as CSV", async () => {
    const path = await file(bytesOf("snappy"));
    expect(await inferParquetFiles([path], { label: "ill", ignore: ["when"] })).toEqual({
      ...schema,
      columns: [
        { name: "age", role: "feature", type: "number" },
        { name: "n", role: "feature", type: "number" },
        { name: "sex", role: "feature", type: "category", categories: ["f", "m"] },
        { name: "smoker", role: "feature", type: "category", categories: ["false", "true"] },
        { name: "when", role: "ignore", type: "text" },
        { name: "ill", role: "label", type: "category", categories: ["no", "yes"] },
      ],
    });
  });

  it("makes a dataset of a file by its name", async () => {
    const path = await file(bytesOf("types"));
    const added = await addDataset({ name: "a", folder, data: [path] });
    expect(added).toMatchObject({ trainExamples: 2, schema: { kind: "table" } });
    expect((await loadDataset(added.descriptorPath)).contentHash).toBe(added.contentHash);
  });
});
