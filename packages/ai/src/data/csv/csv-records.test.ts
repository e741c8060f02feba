import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CsvOptions, type CsvRecord, readCsvRecords } from "./csv-records.ts";

const encoder = new TextEncoder();

async function read(text: string | Uint8Array, options: CsvOptions = {}, chunkBytes = Infinity): Promise<CsvRecord[]> {
  const bytes = typeof text === "string" ? encoder.encode(text) : text;
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) chunks.push(bytes.subarray(at, at + chunkBytes));
  const records: CsvRecord[] = [];
  for await (const some of readCsvRecords(chunks, { source: "t.csv", ...options })) records.push(...some);
  return records;
}

const cellsOf = (records: readonly CsvRecord[]): (readonly string[])[] => records.map(({ cells }) => cells);

describe("readCsvRecords", () => {
  it("follows the rules of RFC 4180, §2", async () => {
    expect(cellsOf(await read("aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n"))).toEqual([
      ["aaa", "bbb", "ccc"],
      ["zzz", "yyy", "xxx"],
    ]);
    expect(cellsOf(await read("aaa,bbb,ccc\r\nzzz,yyy,xxx"))).toEqual([
      ["aaa", "bbb", "ccc"],
      ["zzz", "yyy", "xxx"],
    ]);
    expect(cellsOf(await read('"aaa","b\r\nbb","ccc"\r\nzzz,yyy,xxx'))).toEqual([
      ["aaa", "b\r\nbb", "ccc"],
      ["zzz", "yyy", "xxx"],
    ]);
    expect(cellsOf(await read('"aaa","b""bb","ccc"'))).toEqual([["aaa", 'b"bb', "ccc"]]);
    expect(cellsOf(await read(" a , b "))).toEqual([[" a ", " b "]]);
  });

  it("skips a byte-order mark and empty lines, and counts rows as a spreadsheet does", async () => {
    expect(await read("\uFEFFa,b\n\n1,2\n\r\n3,4\n\n")).toEqual([
      { row: 1, cells: ["a", "b"] },
      { row: 3, cells: ["1", "2"] },
      { row: 5, cells: ["3", "4"] },
    ]);
    expect(await read("")).toEqual([]);
    expect(cellsOf(await read('a\n""\n'))).toEqual([["a"], [""]]);
  });

  it("takes other delimiters", async () => {
    expect(cellsOf(await read("a;1,5;c", { delimiter: ";" }))).toEqual([["a", "1,5", "c"]]);
    expect(cellsOf(await read('a\t"\t"\t', { delimiter: "\t" }))).toEqual([["a", "\t", ""]]);
  });

  it("gives back what was written, however the bytes are cut", async () => {
    const cell = fc.oneof(fc.string({ unit: fc.constantFrom('"', ",", "\r", "\n", "a", "é", "😀", " "), maxLength: 5 }), fc.string());
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 6 }),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom("\n", "\r\n"),
        async (rows, chunk, end) => {
          const clean = rows.map((cells) => cells.map((text) => text.replaceAll("\0", "")));
          const text = clean.map((cells) => cells.map((one) => `"${one.replaceAll('"', '""')}"`).join(",")).join(end);
          expect(cellsOf(await read(text, {}, chunk))).toEqual(clean);
        },
      ),
      { numRuns: 150 },
    );
  });

  it.each([
    ['a,b\n1,"2', /t\.csv, row 2, column 2: the file ends within a quoted cell/],
    ['a,b\n"1"x,2', /row 2, column 1: text after a closing quote/],
    ['a,b\n1,2"3', /row 2, column 2: a quote within a cell/],
    ["a,b\r1,2", /row 1, column 3: a carriage return that no line feed follows/],
    ["a,b\r", /a carriage return/],
    ["a,b\n1,\u00002", /row 2, column 2: a NUL byte/],
    ['a,"\u0000"', /row 1, column 2: a NUL byte/],
  ])("refuses %j", async (text, message) => {
    for (const chunk of [Infinity, 1]) {
      await expect(read(text, {}, chunk)).rejects.toMatchObject({ code: "DATA_INVALID", message: expect.stringMatching(message) });
    }
  });

  it("refuses bytes that are not UTF-8", async () => {
    await expect(read(Uint8Array.of(0x61, 0x2c, 0xff, 0x0a))).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringMatching(/not UTF-8/),
    });
    await expect(read(Uint8Array.of(0x61, 0xc3))).rejects.toMatchObject({ code: "DATA_INVALID", message: expect.stringMatching(/not UTF-8/) });
  });

  it("refuses a record that does not end, before it fills the memory", async () => {
    const limit = { maxRecordCharacters: 1_000 };
    expect(await read(`${"a".repeat(1_000)}\nb`, limit, 64)).toHaveLength(2);
    await expect(read(`a\n"${"b\n".repeat(600)}`, limit, 64)).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringMatching(/row 2, column 1: the record is longer/),
    });
    await expect(read(`a\n${"b,".repeat(600)}\n`, limit)).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringMatching(/longer than 1000/),
    });
  });

  it("stops when it is told to", async () => {
    await expect(read("a,b\n1,2\n", { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  });
});
