import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TableSchema } from "../dataset-schema.ts";
import type { Examples } from "../examples.ts";
import { createTableRows } from "../table/table-rows.ts";
import { readCsvExamples, readCsvInto } from "./csv-examples.ts";

const schema: TableSchema = {
  kind: "table",
  task: "regression",
  columns: [
    { name: "a", role: "feature", type: "number" },
    { name: "name", role: "id", type: "text" },
    { name: "b", role: "feature", type: "number", range: [-10, 1000], missing: ["-9", "NA"] },
    { name: "c", role: "feature", type: "category", categories: ["männlich", "weiblich", "7", ""], missing: ["?"] },
    { name: "note", role: "ignore", type: "text" },
    { name: "y", role: "label", type: "number" },
  ],
};

const encoder = new TextEncoder();

function chunksOf(text: string | Uint8Array, chunkBytes = Infinity): Uint8Array[] {
  const bytes = typeof text === "string" ? encoder.encode(text) : text;
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) chunks.push(bytes.subarray(at, at + chunkBytes));
  return chunks;
}

/** Rows, or the error's message. */
async function short(text: string | Uint8Array, chunkBytes?: number): Promise<Examples | string> {
  return readCsvExamples(chunksOf(text, chunkBytes), schema).catch((error: unknown) => String(error));
}

/** The same by the long way, which keeping a column's texts takes. */
async function long(text: string | Uint8Array): Promise<Examples | string> {
  const rows = createTableRows(schema, ["name"]);
  const outcome = await readCsvInto(rows, chunksOf(text), schema).catch((error: unknown) => String(error));
  return outcome ?? rows.finish();
}

const HEADER = "a,name,b,c,note,y\n";

const number = fc.oneof(
  fc.constantFrom(
    "0",
    "-0",
    "+1",
    "1.",
    ".5",
    "-.5",
    "1e5",
    "1E-7",
    "2.5e+3",
    "-9",
    "-9.0",
    "NA",
    "",
    " 3 ",
    "1e",
    "e1",
    "--1",
    "1.2.3",
    "0x1",
    "1e400",
    "1e-400",
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.tuple(fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), fc.nat(20)).map(([digits, point]) => `${digits}.${"0".repeat(point % 3)}${point}`),
  fc.integer({ min: -1_000_000, max: 1_000_000 }).map((hundredths) => (hundredths / 100).toFixed(2)),
);
const text = fc.oneof(
  fc.constantFrom("", "x", '"q"', '"a,b"', '"a""b"', '"line\nbreak"', "é", "a b", '"', 'a"b', "\0", '"open', "日本"),
  fc.string({ maxLength: 6 }),
);
const category = fc.constantFrom("männlich", "weiblich", '"weiblich"', " weiblich ", "7", "?", "", "none");
const plain = fc.tuple(
  fc.integer({ min: -999, max: 999 }).map(String),
  fc.constantFrom("p1", "é"),
  fc.constantFrom("1", "-9", "NA", "12.5"),
  fc.constantFrom("männlich", "7"),
  fc.constant(""),
  fc.constantFrom("0", "1.5"),
);
const wild = fc.tuple(number, text, number, category, text, number);
const line = fc.oneof({ weight: 8, arbitrary: plain }, { weight: 1, arbitrary: wild }).map((cells) => cells.join(","));
const file = fc
  .tuple(fc.array(fc.tuple(line, fc.constantFrom("\n", "\n", "\n", "\r\n", "\n\n", "\r")), { maxLength: 12 }), fc.boolean())
  .map(([lines, ends]) => HEADER + lines.map(([cells, end], i) => cells + (i === lines.length - 1 && !ends ? "" : end)).join(""));

describe("the short way and the long way", () => {
  it("give the same rows, or the same error", async () => {
    await fc.assert(
      fc.asyncProperty(file, fc.integer({ min: 1, max: 40 }), async (text_, chunkBytes) => {
        const wanted = await long(text_);
        expect(await short(text_)).toEqual(wanted);
        expect(await short(text_, chunkBytes)).toEqual(wanted);
      }),
      { numRuns: 1_500 },
    );
  });

  it("give the same for bytes that are no text", async () => {
    await fc.assert(
      fc.asyncProperty(file, fc.nat(), fc.integer({ min: 0, max: 255 }), async (text_, at, byte) => {
        const bytes = encoder.encode(text_);
        bytes[at % bytes.length] = byte;
        expect(await short(bytes)).toEqual(await long(bytes));
      }),
      { numRuns: 500 },
    );
  });

  it("read every decimal as Number does", async () => {
    const decimals = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e30, max: 1e30 }).map(String),
      fc.tuple(fc.maxSafeNat(), fc.integer({ min: 0, max: 25 }), fc.integer({ min: -30, max: 14 })).map(([digits, point, exponent]) => {
        const padded = String(digits).padStart(point + 1, "0");
        return `${padded.slice(0, padded.length - point)}.${padded.slice(padded.length - point)}e${exponent}`;
      }),
    );
    const table: TableSchema = {
      kind: "table",
      task: "regression",
      columns: [
        { name: "x", role: "feature", type: "number" },
        { name: "y", role: "label", type: "number" },
      ],
    };
    await fc.assert(
      fc.asyncProperty(fc.array(decimals, { minLength: 1, maxLength: 20 }), async (texts) => {
        const rows = await readCsvExamples(chunksOf(`x,y\n${texts.map((one) => `${one},${one}`).join("\n")}`), table);
        expect(rows.features).toEqual(Float32Array.from(texts, Number));
        expect(rows.targets).toEqual(Float32Array.from(texts, Number));
      }),
      { numRuns: 500 },
    );
  });

  it("take records across blocks, and a record that is longer than a chunk", async () => {
    const lines = Array.from({ length: 400_000 }, (_, i) => `${i},,1,7,,${i % 7}`);
    lines[399_990] = `1,"${"x\n".repeat(100_000)}",2,?,,3`;
    const rows = (await short(HEADER + lines.join("\n"), 100_000)) as Examples;
    expect(rows.count).toBe(400_000);
    for (const row of [0, 349_524, 349_525, 349_526, 399_989, 399_991, 399_999])
      expect([rows.features[row * 3], rows.targets[row]]).toEqual([row, row % 7]);
    expect([...rows.features.subarray(399_990 * 3, 399_990 * 3 + 3), rows.targets[399_990]]).toEqual([1, 2, NaN, 3]);
  });

  it("refuse a record that does not end, within bounded memory", async () => {
    let given = 0;
    function* endless(): Generator<Uint8Array> {
      yield encoder.encode(HEADER + '1,"');
      for (; given < 1_000; given += 1) yield new Uint8Array(65_536).fill(0x61);
    }
    await expect(readCsvExamples(endless(), schema)).rejects.toThrow("the record is longer than 4194304 characters; a closing quote may be missing");
    expect(given).toBeLessThan(70);
  });
});
