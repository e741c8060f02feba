import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arrayExamples } from "../arrays/array-examples.ts";
import { readCsvExamples, readCsvInto } from "../csv/csv-examples.ts";
import { createDataset } from "../dataset.ts";
import { datasetSchema, schemaText, type TableSchema } from "../dataset-schema.ts";
import { readJsonlExamples } from "../jsonl/jsonl-examples.ts";
import { PARQUET_FILES } from "../node/parquet/parquet.fixture.ts";
import { loadParquetExamples } from "../node/table-files.ts";
import { fromBase64 } from "../npy/npy.fixture.ts";
import { rowColumn } from "../row-column.ts";
import { createTableRows } from "./table-rows.ts";

const schema: TableSchema = {
  kind: "table",
  task: "classification",
  columns: [
    { name: "who", role: "id", type: "text" },
    {
      name: "pain",
      role: "feature",
      type: "category",
      categories: ["none", "some"],
      texts: { some: ["1", "2", "é"], none: ["0"] },
      undeclared: "other",
      missing: ["?", "-9"],
    },
    { name: "ill", role: "label", type: "category", categories: ["no", "yes"], texts: { no: ["0"], yes: ["1", "2", "3", "4"] } },
  ],
};

const chunks = (text: string): Uint8Array[] => [new TextEncoder().encode(text)];
const short = (text: string) => readCsvExamples(chunks(text), schema);
/** Texts that are kept take the way over texts. */
async function long(text: string) {
  const rows = createTableRows(schema, ["who"]);
  await readCsvInto(rows, chunks(text), schema);
  return rows.finish();
}

const PAINS = ["none", "some", "0", "1", "2", "é", "3", " 2 ", "?", "-9", "", "None", "other", "1.0"];
const PAIN_NUMBERS = [0, 1, 0, 1, 1, 1, 2, 1, NaN, NaN, NaN, 2, 2, 2];

describe("texts of a category, and categories that are not declared", () => {
  it("are read alike from CSV, by its short way and its long way, and from JSONL", async () => {
    const expected = { features: Float32Array.from(PAIN_NUMBERS), targets: new Uint8Array(PAINS.length).fill(1) };
    const csv = `who,pain,ill\n${PAINS.map((pain, i) => `${i},${pain},${i % 2 === 0 ? "4" : "yes"}`).join("\n")}\n`;
    expect(await short(csv)).toMatchObject(expected);
    expect(await long(csv)).toMatchObject(expected);
    const lines = PAINS.map((pain) => JSON.stringify({ pain, ill: 2 }));
    expect(await readJsonlExamples(chunks(lines.join("\n")), schema)).toMatchObject(expected);
    const typed = [1, 0, 7, true, null].map((pain) => JSON.stringify({ pain, ill: 0 }));
    expect(await readJsonlExamples(chunks(typed.join("\n")), schema)).toMatchObject({ features: Float32Array.of(1, 0, 2, 2, NaN) });
  });

  it("give the same rows or the same error whatever the cells", async () => {
    const cell = fc.constantFrom(...PAINS, '"2"', '" some"', '"a,b"');
    const line = fc.tuple(cell, fc.constantFrom("0", "1", "4", "yes", "no", "5", "")).map(([pain, ill]) => `p,${pain},${ill}`);
    const outcome = (rows: Promise<unknown>): Promise<unknown> => rows.catch(String);
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 8 }), async (lines) => {
        const text = `who,pain,ill\n${lines.join("\n")}`;
        expect(await outcome(short(text))).toEqual(await outcome(long(text)));
      }),
      { numRuns: 300 },
    );
  });

  it("leave a label as strict as it is", async () => {
    await expect(short("who,pain,ill\np,0,5\n")).rejects.toThrow('column "ill": the cell is none of the 2 declared categories');
    await expect(short("who,pain,ill\np,0,?\n")).rejects.toThrow('column "ill"');
  });

  it("are read from Parquet", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ciphernx-texts-"));
    try {
      const path = join(folder, "p.parquet");
      await writeFile(path, fromBase64(PARQUET_FILES.none));
      const table: TableSchema = {
        kind: "table",
        task: "classification",
        columns: [
          { name: "n", role: "feature", type: "category", categories: ["few", "many"], texts: { few: ["1", "2"] }, undeclared: "other" },
          { name: "sex", role: "feature", type: "category", categories: ["m"], undeclared: "other" },
          { name: "ill", role: "label", type: "category", categories: ["sound", "ill"], texts: { sound: ["no"], ill: ["yes"] } },
          ...["age", "smoker", "when"].map((name) => ({ name, role: "ignore" as const, type: "text" as const })),
        ],
      };
      expect(await loadParquetExamples(table, [path])).toMatchObject({
        features: Float32Array.of(0, 1, 0, 0, 2, 0, 2, 1),
        targets: Uint8Array.of(0, 1, 0, 1),
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("are numbers in arrays, the last for what is not declared", () => {
    const read = (...values: number[]) =>
      arrayExamples(schema, {
        features: { shape: [values.length, 1], data: Float32Array.from(values) },
        targets: { shape: [values.length], data: new Uint8Array(values.length) },
        featuresSource: "x.idx",
        targetsSource: "y.idx",
      });
    expect(read(0, 2, NaN).features).toEqual(Float32Array.of(0, 2, NaN));
    expect(() => read(0, 3)).toThrow('x.idx row 2, column "pain": the value is not the number of a category, of which there are 3');
  });

  it("are called other where rows are split by them", async () => {
    const dataset = createDataset(schema, await short("who,pain,ill\np,2,0\nq,9,1\nr,,1\n"));
    expect(Array.from(rowColumn(dataset, "pain"))).toEqual(["some", "other", ""]);
    expect(Array.from(rowColumn(dataset, "ill"))).toEqual(["no", "yes", "yes"]);
  });

  it("survive JSON, and leave the spelling of schemas without them as it is", () => {
    expect(datasetSchema.parse(JSON.parse(JSON.stringify(schema)))).toEqual(schema);
    const plain = { ...schema, columns: schema.columns.map((column) => ({ ...column, texts: undefined, undeclared: undefined })) };
    expect(schemaText(datasetSchema.parse(JSON.parse(JSON.stringify(plain))))).not.toMatch(/texts|undeclared/);
  });
});
