import { describe, expect, it } from "vitest";
import { readCsvExamples } from "../csv/csv-examples.ts";
import type { TableSchema } from "../dataset-schema.ts";
import type { Examples } from "../examples.ts";
import { inferJsonlSchema } from "./infer-jsonl-schema.ts";
import { readJsonlExamples } from "./jsonl-examples.ts";

const schema: TableSchema = {
  kind: "table",
  task: "classification",
  columns: [
    { name: "id", role: "id", type: "text" },
    { name: "age", role: "feature", type: "number", range: [0, 120], missing: ["-9"] },
    { name: "grade", role: "feature", type: "category", categories: ["1", "2", "true"] },
    { name: "note", role: "ignore", type: "text" },
    { name: "ill", role: "label", type: "category", categories: ["no", "yes"] },
  ],
};

const encoder = new TextEncoder();

function chunksOf(text: string, chunkBytes = Infinity): Uint8Array[] {
  const bytes = encoder.encode(text);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) chunks.push(bytes.subarray(at, at + chunkBytes));
  return chunks;
}

const read = (text: string, chunkBytes?: number): Promise<Examples> => readJsonlExamples(chunksOf(text, chunkBytes), schema, { source: "p.jsonl" });

describe("readJsonlExamples", () => {
  const text = [
    '\uFEFF{"id": "p1", "age": 41.5, "grade": 1, "note": {"free": ["form"]}, "ill": "yes"}',
    "",
    '{"ill": "no", "age": null, "grade": "2"}\r',
    '{"ill": "no", "age": -9, "grade": true, "id": 7}',
    '  {"ill": "no", "age": " 7e0 ", "grade": null}  ',
  ].join("\n");

  it("types values by the schema as their texts in CSV are typed", async () => {
    const rows = await read(text);
    expect(rows).toEqual({
      features: Float32Array.of(41.5, 0, NaN, 1, NaN, 2, 7, NaN),
      featureLength: 2,
      targets: Uint8Array.of(1, 0, 0, 0),
      count: 4,
    });
    const csv = "id,age,grade,note,ill\np1,41.5,1,,yes\n,,2,,no\n7,-9,true,,no\n, 7e0 ,,,no\n";
    expect(await readCsvExamples(chunksOf(csv), schema)).toEqual(rows);
    for (const size of [1, 2, 7, 64]) expect(await read(text, size)).toEqual(rows);
  });

  it.each([
    ["", "p.jsonl holds no rows"],
    ["\n \n", "p.jsonl holds no rows"],
    ['{"ill": "no"}\n{"ill": "no", "age": [41]}', 'line 2, column "age": the value is a list; nested values are not read'],
    ['{"ill": {"is": "no"}}', 'line 1, column "ill": the value is an object'],
    ['{"id": [1], "ill": "no"}', 'line 1, column "id": the value is a list'],
    ['\n\n{"ill": "no", "Age": 1}', 'line 3: the schema does not know the column "Age"'],
    ['{"ill": "no", "__proto__": {"age": 3}}', 'does not know the column "__proto__"'],
    ['{"ill": "no", "age": 121}', 'line 1, column "age": the cell is not a number from 0 to 120'],
    ['{"ill": "no", "age": 1e999}', 'column "age"'],
    ['{"ill": "no", "age": "many"}', 'column "age"'],
    ['{"ill": "no", "age": true}', 'column "age"'],
    ['{"ill": "no", "grade": 3}', 'column "grade": the cell is none of the 3 declared categories'],
    ['{"age": 3}', 'column "ill": the label is missing'],
    ['{"ill": null}', 'column "ill": the label is missing'],
    ['{"ill": "no"', "line 1: the line is not JSON"],
    ['{"ill": "no"} {"ill": "no"}', "line 1: the line is not JSON"],
    ["[1, 2]", "line 1: the line is JSON, but not an object"],
    ["null", "line 1: the line is JSON, but not an object"],
    ["{'ill': 'no'}", "line 1: the line is not JSON"],
  ])("refuses %j", async (wrong, message) => {
    await expect(read(wrong)).rejects.toMatchObject({ code: "DATA_INVALID", message: expect.stringContaining(message) as string });
  });

  it("names the line that is not UTF-8, too long, or nested too deeply", async () => {
    const bytes = encoder.encode('{"ill": "no"}\n{"ill": "é"}\n');
    const damaged = bytes.filter((_, at) => at !== bytes.indexOf(0xc3));
    await expect(readJsonlExamples([damaged], schema)).rejects.toThrow("line 2: the text is not UTF-8");
    const long = `{"ill": "no", "id": "${"x".repeat(1_000)}"}`;
    await expect(readJsonlExamples(chunksOf(`{"ill": "no"}\n${long}\n`), schema, { maxLineBytes: 500 })).rejects.toThrow(
      "line 2: the line is longer",
    );
    await expect(readJsonlExamples(chunksOf(`{"ill": "no"}\n${long}`, 100), schema, { maxLineBytes: 500 })).rejects.toThrow(
      "line 2: the line is longer",
    );
    await expect(read(`{"note": ${"[".repeat(2_000_000)}`)).rejects.toThrow("line 1: the values are nested too deeply");
  });

  it("never quotes a value in an error", async () => {
    for (const wrong of ['{"ill": "secret"}', '{"ill": "no", "age": "secret"}', '{"ill": secret}', '{"ill": ["secret"]}']) {
      const error: unknown = await read(wrong).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "DATA_INVALID" });
      expect(JSON.stringify(error) + String(error) + String((error as Error).cause)).not.toContain("secret");
    }
  });
});

describe("inferJsonlSchema", () => {
  it("proposes what it would of the same rows as CSV", async () => {
    const text =
      '{"id": 1, "age": 41.5, "smoker": true, "y": "b"}\n{"id": 2, "age": null, "smoker": false, "y": "a"}\n{"smoker": true, "y": "a", "age": "NA"}\n';
    expect(await inferJsonlSchema([{ source: "p.jsonl", chunks: chunksOf(text) }])).toEqual({
      kind: "table",
      task: "classification",
      columns: [
        { name: "id", role: "id", type: "text" },
        { name: "age", role: "feature", type: "number", missing: ["NA"] },
        { name: "smoker", role: "feature", type: "category", categories: ["false", "true"] },
        { name: "y", role: "label", type: "category", categories: ["a", "b"] },
      ],
    });
    await expect(inferJsonlSchema([{ source: "p.jsonl", chunks: chunksOf('{"a": 1, "y": [2]}') }])).rejects.toThrow('line 1, column "y"');
    await expect(inferJsonlSchema([{ source: "p.jsonl", chunks: [] }])).rejects.toThrow("p.jsonl holds no rows");
  });
});
