import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ColumnSchema, datasetSchema, type TableSchema } from "../dataset-schema.ts";
import type { Examples } from "../examples.ts";
import { columnSteps, fitPreprocessing, preprocessSection, rowStatistics } from "../preprocess/index.ts";
import { type LearntRows, measureDrift } from "./measure-drift.ts";

const AGE: ColumnSchema = { name: "age", role: "feature", type: "number", range: [0, 100] };
const PAIN: ColumnSchema = { name: "pain", role: "feature", type: "category", categories: ["typical", "none"], undeclared: "other" };
const ILL: ColumnSchema = { name: "ill", role: "label", type: "category", categories: ["no", "yes"] };

function table(...columns: readonly ColumnSchema[]): TableSchema {
  return datasetSchema.parse({ kind: "table", task: "classification", columns: [...columns, ILL] }) as TableSchema;
}
const SCHEMA = table(AGE, PAIN);

function rowsOf(...rows: readonly (readonly (number | null)[])[]): Examples {
  const features = Float32Array.from(rows.flatMap((row) => row.map((value) => value ?? Number.NaN)));
  return { features, featureLength: rows[0]?.length ?? 2, targets: new Uint8Array(rows.length), count: rows.length };
}

/** What a model keeps of the rows that it learnt from. */
function learnt(rows: Examples, schema: TableSchema = SCHEMA, preprocess: unknown = {}): LearntRows {
  const steps = columnSteps(preprocessSection.schema.parse(preprocess)!, schema, [])!;
  return { schema, preprocessing: fitPreprocessing(steps, rowStatistics(steps, rows, 1_000), rows.count, 1_000) };
}

const THEN = rowsOf(...Array.from({ length: 80 }, (_, row) => [row < 8 ? null : 20 + (row % 60), row % 2]));

describe("drift of rows from those that a model learnt from", () => {
  it("is nothing for the rows themselves, in whatever parts they lie", () => {
    const parts = [
      rowsOf(...Array.from({ length: 8 }, (_, row) => [null, row % 2])),
      rowsOf(...Array.from({ length: 72 }, (_, row) => [20 + ((row + 8) % 60), row % 2])),
    ];
    const { rows, trainedRows, columns, mismatches } = measureDrift(learnt(THEN), SCHEMA, parts);
    expect({ rows, trainedRows, mismatches }).toEqual({ rows: 80, trainedRows: 80, mismatches: [] });
    for (const column of columns) {
      expect(column.psi).toBeCloseTo(0, 12);
      expect(column).toMatchObject({ band: "none", missing: { band: "none" } });
      expect(column.missing.now).toBe(column.missing.trained);
    }
    const age = columns.find(({ type }) => type === "number");
    if (age?.type !== "number") throw new TypeError("One column is of numbers.");
    expect(age.missing).toMatchObject({ trained: 0.1, now: 0.1 });
    expect(age.mean.now).toBeCloseTo(age.mean.trained, 4);
    expect(age.deviation.now).toBeCloseTo(age.deviation.trained, 3);
  });

  it("is told by column, the furthest first: the index, means, what is missing, what lies beyond the ends, and new categories", () => {
    const schema = table(
      { name: "pain", role: "feature", type: "category", categories: ["none", "burning"] },
      { name: "age", role: "feature", type: "number" },
    );
    const now = rowsOf([0, 90], [0, 130], [1, -5], [1, null], [0, 95], [0, 90], [0, null], [0, 80]);
    const { columns } = measureDrift(learnt(THEN), schema, [now]);
    const [age, pain] = columns;
    expect(columns.map(({ column }) => column)).toEqual(["age", "pain"]);
    expect(age).toMatchObject({ band: "large", below: 1, above: 1, clip: [0, 100], missing: { trained: 0.1, now: 0.25 } });
    // 130 counts as 100 and −5 as 0, as they do for the model.
    expect(age?.type === "number" && age.mean.now).toBeCloseTo((90 + 100 + 0 + 95 + 90 + 80) / 6, 4);
    expect(pain).toMatchObject({
      counts: [
        { category: "typical", trained: 40, now: 0 },
        { category: "none", trained: 40, now: 6 },
        { category: "other", trained: 0, now: 2 },
      ],
      unknown: 0,
    });
    expect(age!.psi).toBeGreaterThan(pain!.psi!);
    expect(pain!.chance).toBeGreaterThan(0.25); // eight rows say little
  });

  it("counts categories that the model does not know, and compares those of the same name whatever their order", () => {
    const closed = table({ name: "pain", role: "feature", type: "category", categories: ["typical", "none"] });
    const then = learnt(rowsOf(...Array.from({ length: 40 }, (_, row) => [row % 4 === 0 ? 1 : 0])), closed);
    const other = table({ name: "pain", role: "feature", type: "category", categories: ["burning", "none", "typical"] });
    const [same] = measureDrift(then, other, [rowsOf([1], [2], [2], [2])]).columns;
    expect(same).toMatchObject({ unknown: 0, band: "none", counts: [{ now: 3 }, { now: 1 }] });
    expect(same!.psi).toBeCloseTo(0, 12);
    const [strange] = measureDrift(then, other, [rowsOf([0], [0], [2], [null])]).columns;
    expect(strange).toMatchObject({ unknown: 2, band: "large", missing: { now: 0.25 } });
  });

  it("names columns that are lacking, of another type or no feature, and compares the others", () => {
    const other = table({ name: "age", role: "feature", type: "category", categories: ["old"] }, { ...AGE, name: "weight" });
    expect(() => measureDrift(learnt(THEN), other, [rowsOf([0, 1])])).toThrow(/none of the columns/);
    const some = table(AGE, { name: "pain", role: "ignore", type: "category", categories: ["typical"] });
    expect(measureDrift(learnt(THEN), some, [rowsOf([30])]).mismatches).toEqual([
      { column: "pain", kind: "role", problem: expect.stringContaining("ignore") as string },
    ]);
    const found = measureDrift(learnt(THEN), table({ ...AGE, name: "weight" }, PAIN, { name: "age", role: "id", type: "text" }), [rowsOf([30, 1])]);
    expect(found.columns.map(({ column }) => column)).toEqual(["pain"]);
    expect(found.mismatches).toEqual([{ column: "age", kind: "type", problem: 'The column "age" holds free text; the model learnt from numbers.' }]);
    const lacking = measureDrift(learnt(THEN), table(AGE), [rowsOf([30])]);
    expect(lacking.mismatches).toEqual([{ column: "pain", kind: "lacking", problem: 'The rows have no column "pain".' }]);
    const images = datasetSchema.parse({ kind: "tensor", shape: [2], element: "f32", task: "regression" });
    expect(() => measureDrift(learnt(THEN), images, [THEN])).toThrow(expect.objectContaining({ code: "DATA_INVALID" }));
  });

  it("puts a column first of which no cell is known any more", () => {
    const [age] = measureDrift(learnt(THEN), SCHEMA, [rowsOf([null, 0], [null, 1])]).columns;
    expect(age).toMatchObject({ column: "age", psi: null, band: null, mean: { now: null }, missing: { now: 1, band: "large" } });
  });

  it("tells means and deviations of the clipped rows, whatever they are", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -20, max: 120 }), { minLength: 1, maxLength: 40 }), (ages) => {
        const now = rowsOf(...ages.map((age) => [age, 0]));
        const age = measureDrift(learnt(THEN), SCHEMA, [now]).columns.find(({ column }) => column === "age");
        if (age?.type !== "number") throw new TypeError("A column of numbers.");
        const clipped = ages.map((one) => Math.min(100, Math.max(0, one)));
        const mean = clipped.reduce((sum, one) => sum + one, 0) / ages.length;
        expect(age.mean.now).toBeCloseTo(mean, 6);
        expect(age.deviation.now).toBeCloseTo(Math.sqrt(clipped.reduce((sum, one) => sum + (one - mean) ** 2, 0) / ages.length), 4);
        expect([age.below, age.above]).toEqual([ages.filter((one) => one < 0).length, ages.filter((one) => one > 100).length]);
      }),
      { numRuns: 40 },
    );
  });
});
