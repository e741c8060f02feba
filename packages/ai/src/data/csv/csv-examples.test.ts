import { describe, expect, it } from "vitest";
import type { TableSchema } from "../dataset-schema.ts";
import type { Examples } from "../examples.ts";
import { type CsvTableOptions, readCsvExamples } from "./csv-examples.ts";

const schema: TableSchema = {
  kind: "table",
  task: "classification",
  columns: [
    { name: "id", role: "id", type: "text" },
    { name: "age", role: "feature", type: "number", range: [0, 120], missing: ["-9"] },
    { name: "pain", role: "feature", type: "category", categories: ["none", "mild", "strong"], missing: ["?"] },
    { name: "note", role: "ignore", type: "text" },
    { name: "ill", role: "label", type: "category", categories: ["no", "yes"] },
  ],
};

function read(text: string, options: CsvTableOptions = {}, of: TableSchema = schema): Promise<Examples> {
  return readCsvExamples([new TextEncoder().encode(text)], of, { source: "p.csv", ...options });
}

describe("readCsvExamples", () => {
  it("types rows by their schema, whatever the order of the columns", async () => {
    const expected: Examples = {
      features: Float32Array.of(41.5, 2, Number.NaN, 0, 7, Number.NaN, 0, Number.NaN),
      featureLength: 2,
      targets: Uint8Array.of(1, 0, 0, 1),
      count: 4,
    };
    expect(await read('id,age,pain,note,ill\np1,41.5,strong,x,yes\np2,,none,,no\np3, 7 ,?,"a,b",no\np4,0,,,yes\n')).toEqual(expected);
    expect(await read('ill,pain,age,id,note\nyes,strong,4.15e1,p1,x\nno,none,-9,p2,\nno,,+7.,p3,"a,b"\nyes,?,.0,p4,\n')).toEqual(expected);
    expect(await read("p1;41.5;strong;x;yes\np2;;none;;no\np3;7;?;;no\np4;0;;;yes", { header: false, delimiter: ";" })).toEqual(expected);
  });

  it("reads more rows than it first makes room for", async () => {
    const rows = Array.from({ length: 3_000 }, (_, row) => `${row % 120},none,x,${row % 2 === 0 ? "yes" : "no"},`);
    const examples = await read(`age,pain,id,ill,note\n${rows.join("\n")}`);
    expect(examples.count).toBe(3_000);
    expect(examples.features.length).toBe(6_000);
    expect(examples.features[2 * 2_999]).toBe(2_999 % 120);
    expect([...examples.targets.subarray(2_998)]).toEqual([1, 0]);
  });

  it("leaves columns that are ignored out, also where they are missing", async () => {
    expect((await read("id,age,pain,ill\np1,1,mild,no")).count).toBe(1);
  });

  it.each([
    ["", /p\.csv is empty/],
    ["id,age,pain,note,ill\n", /holds no rows below its header/],
    ["id,age,pain,note,ill\np1,abc,none,,no", /row 2, column "age": the cell is not a number from 0 to 120/],
    ["id,age,pain,note,ill\np1,1,none,,no\np2,121,none,,no", /row 3, column "age"/],
    ["id,age,pain,note,ill\np1,0x10,none,,no", /row 2, column "age"/],
    ["id,age,pain,note,ill\np1,NaN,none,,no", /row 2, column "age"/],
    ["id,age,pain,note,ill\np1,Infinity,none,,no", /row 2, column "age"/],
    ["id,age,pain,note,ill\np1,1,None,,no", /row 2, column "pain": the cell is none of the 3 declared categories/],
    ["id,age,pain,note,ill\np1,1,none,,maybe", /row 2, column "ill": the cell is none of the 2/],
    ["id,age,pain,note,ill\np1,1,none,,", /row 2, column "ill": the label is missing/],
    ["id,age,pain,note,ill\np1,1,none,no", /row 2 has 4 cells; 5 are expected/],
    ["id,age,pain,note,ill\np1,1,none,x,y,no", /row 2 has 6 cells/],
    ["id,age,pian,note,ill\n", /the column "pain" is missing \(is it "pian" here\?\)/],
    ["id;age;pain;note;ill\n", /is a single column when its cells are delimited by ","; its header holds ";"/],
    ["id\tage, years\tpain\tnote\till\n", /the column "id" is missing/],
    ["id\tage\tpain\tnote\till\n", /its header holds tab/],
    ["only\n", /the column "id" is missing/],
    ["id,age,pain,note,ill\np1\n", /row 2 has 1 cell; 5 are expected/],
    ["id,age,pain,note,ill,ill\n", /two columns are called "ill"/],
    ["id,age,pain,note,ill,zip\n", /does not know the column "zip"/],
  ])("refuses %j", async (text, message) => {
    await expect(read(text)).rejects.toMatchObject({ code: "DATA_INVALID", message: expect.stringMatching(message) });
  });

  it("never quotes a cell in an error: it may be shown to others", async () => {
    for (const text of [
      "id,age,pain,note,ill\np1,secret,none,,no",
      "id,age,pain,note,ill\np1,1,secret,,no",
      "id,age,pain,note,ill\np1,1,none,,secret",
      'id,age,pain,note,ill\n"secret"x,1',
    ]) {
      const error: unknown = await read(text).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "DATA_INVALID" });
      expect(JSON.stringify(error) + String(error)).not.toContain("secret");
    }
  });

  it("refuses a number beyond 32-bit floats, and a regression's missing label", async () => {
    const regression: TableSchema = {
      kind: "table",
      task: "regression",
      columns: [
        { name: "x", role: "feature", type: "number" },
        { name: "y", role: "label", type: "number" },
      ],
    };
    expect((await read("x,y\n1,2.5\n", {}, regression)).targets).toEqual(Float32Array.of(2.5));
    await expect(read("x,y\n1e39,1\n", {}, regression)).rejects.toThrow(/column "x"/);
    await expect(read("x,y\n1,\n", {}, regression)).rejects.toThrow(/label is missing/);
  });
});
