import { describe, expect, it } from "vitest";
import { inferCsvSchema, type InferOptions } from "./infer-csv-schema.ts";

function infer(text: string, options: InferOptions = {}) {
  return inferCsvSchema([{ source: "p.csv", chunks: [new TextEncoder().encode(text)] }], options);
}

const numbers = (count: number, of: (row: number) => string): string => Array.from({ length: count }, (_, row) => of(row)).join("\n");

describe("inferCsvSchema", () => {
  it("finds types, roles, categories and missing codes, but no ranges", async () => {
    expect(await infer("patient_id,age,sex,smokes,empty,target\n1,50,m,NA,,1\n2,,f,yes,,0\n3,61.5,?,no,,1\n")).toEqual({
      kind: "table",
      task: "classification",
      columns: [
        { name: "patient_id", role: "id", type: "text" },
        { name: "age", role: "feature", type: "number" },
        { name: "sex", role: "feature", type: "category", categories: ["f", "m"], missing: ["?"] },
        { name: "smokes", role: "feature", type: "category", categories: ["no", "yes"], missing: ["NA"] },
        { name: "empty", role: "ignore", type: "text" },
        { name: "target", role: "label", type: "category", categories: ["0", "1"] },
      ],
    });
  });

  it("sorts numeric classes as numbers, and takes classes that it is told", async () => {
    const schema = await infer(`x,y\n${numbers(12, (row) => `${row},${row}`)}`);
    expect(schema.columns[1]).toMatchObject({ type: "category", categories: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"] });
    expect((await infer("x,y\n1,b\n", { classes: ["b", "a"] })).columns[1]).toMatchObject({ categories: ["b", "a"] });
  });

  it("sees a regression in fractions and in many values, and does as it is told", async () => {
    expect((await infer("x,y\n1,0.5\n2,1\n")).task).toBe("regression");
    expect((await infer(`x,y\n${numbers(30, (row) => `1,${row}`)}`)).task).toBe("regression");
    expect((await infer(`x,y\n${numbers(30, (row) => `1,${row}`)}`, { task: "classification" })).task).toBe("classification");
    expect((await infer("x,y\n1,0\n2,1\n", { task: "regression" })).columns[1]).toEqual({ name: "y", role: "label", type: "number" });
  });

  it("lists no free text: its cells would be shown to the other parties", async () => {
    const schema = await infer(`name,x,y\n${numbers(100, (row) => `person ${row},${row},${row % 2}`)}`);
    expect(schema.columns[0]).toEqual({ name: "name", role: "ignore", type: "text" });
  });

  it("makes no categories of a column of numbers with a mistake in it, nor of dates", async () => {
    const rows = (cell: string) => `age,visit,y\n${numbers(20, (row) => `${row === 7 ? cell : 30 + row},2024-01-${10 + row},${row % 2}`)}`;
    await expect(infer(rows("abc"))).rejects.toThrow(/row \d+, column "age" is not a number/);
    await expect(infer(rows("abc"))).rejects.not.toThrow(/abc/);
    expect((await infer(rows("37"))).columns.slice(0, 2)).toEqual([
      { name: "age", role: "feature", type: "number" },
      { name: "visit", role: "ignore", type: "text" },
    ]);
  });

  it("reads several files of one form, whose columns may be in another order", async () => {
    const file = (source: string, text: string) => ({ source, chunks: [new TextEncoder().encode(text)] });
    const schema = await inferCsvSchema([file("a.csv", "x,y\n1,a\n2,b\n"), file("b.csv", "y,x\nc,3\n")]);
    expect(schema.columns[1]).toMatchObject({ categories: ["a", "b", "c"] });
    await expect(inferCsvSchema([file("a.csv", "x,y\n1,a\n"), file("b.csv", "x,z\n1,a\n")])).rejects.toThrow(/b\.csv has no column "z"/);
  });

  it.each([
    ["a,b\n1,2\n", {}, /does not tell which column/],
    ["label,target,x\n1,2,3\n", {}, /does not tell which column/],
    ["price,b\n1,2\n", { label: "prize" }, /no column "prize"; is it "price"\?/],
    ["x,y\n1,1\n1,1\n", {}, /at least two categories/],
    ["x,y\n", {}, /^p\.csv holds no rows below its header\.$/],
    ["x,y\n,\n", {}, /no schema can be made of its columns\. Found an empty list; at least 1 entry is expected\./],
    ["x;y\n1;0\n", {}, /^p\.csv is a single column when its cells are delimited by ","; its header holds ";"\.$/],
    ["x,y\n1,0\n", { delimiter: "\t" as const }, /delimited by tab; its header holds ","/],
    ["y,z_id\n0,1\n1,2\n", {}, /role feature/],
    [`x,y\n${numbers(70, (row) => `1,c${row}`)}`, {}, /more than 64 different values/],
    ["x,y\n1\n", {}, /row 2 has 1 cell; 2 are expected/],
    ["", {}, /is empty/],
  ])("refuses %j", async (text, options, message) => {
    await expect(infer(text, options)).rejects.toMatchObject({ code: "DATA_INVALID", message: expect.stringMatching(message) });
  });
});
