import { NexusError } from "@ciphernx/core/errors";
import type { Refusal } from "@ciphernx/core/spec";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DatasetSchema, datasetSchema, type TableSchema } from "../dataset-schema.ts";
import type { Examples } from "../examples.ts";
import {
  constantColumns,
  type ColumnSteps,
  columnSteps,
  fitPreprocessing,
  impossibleStatistics,
  prepareExamples,
  prepareFeatures,
  preparedLength,
  preprocessingSchema,
  preprocessSection,
  rowStatistics,
  statisticsLength,
} from "./index.ts";

const MAX_ROWS = 1_000;

const SCHEMA = datasetSchema.parse({
  kind: "table",
  task: "classification",
  columns: [
    { name: "site", role: "ignore", type: "text" },
    { name: "age", role: "feature", type: "number", range: [0, 100] },
    { name: "pain", role: "feature", type: "category", categories: ["typical", "none", "other kind"], undeclared: "other" },
    { name: "pressure", role: "feature", type: "number", range: [40, 240] },
    { name: "ill", role: "label", type: "category", categories: ["no", "yes"] },
  ],
}) as TableSchema;

function stepsOf(preprocess: unknown, schema: DatasetSchema = SCHEMA): readonly ColumnSteps[] {
  const refusals: Refusal[] = [];
  const steps = columnSteps(preprocessSection.schema.parse(preprocess)!, schema, refusals);
  expect(refusals).toEqual([]);
  return steps!;
}

function refusalsOf(preprocess: unknown, schema: DatasetSchema = SCHEMA): readonly Refusal[] {
  const refusals: Refusal[] = [];
  expect(columnSteps(preprocessSection.schema.parse(preprocess)!, schema, refusals)).toBeUndefined();
  return refusals;
}

/** Rows of age, pain (a category's number), pressure; null is missing. */
function rowsOf(...rows: readonly (readonly (number | null)[])[]): Examples {
  const features = Float32Array.from(rows.flatMap((row) => row.map((value) => value ?? Number.NaN)));
  return { features, featureLength: 3, targets: new Uint8Array(rows.length), count: rows.length };
}

/** What the parties' rows give together: their statistics added, as the coordinator adds them. */
function fitted(steps: readonly ColumnSteps[], ...parties: readonly Examples[]) {
  const sums = new Float64Array(statisticsLength(steps));
  for (const rows of parties) for (const [index, one] of rowStatistics(steps, rows, MAX_ROWS).entries()) sums[index]! += one;
  const total = parties.reduce((count, rows) => count + rows.count, 0);
  return fitPreprocessing(steps, sums, total, MAX_ROWS);
}

const A = rowsOf([20, 0, 100], [30, 1, null], [null, 1, 140]);
const B = rowsOf([50, null, 120], [60, 3, 180]);

describe("what is done with the columns", () => {
  it("follows the schema and the section, exceptions by name", () => {
    expect(stepsOf({})).toEqual([
      { column: "age", type: "number", bounds: [0, 100], impute: "median", scale: "standard", indicate: false, bins: 256 },
      { column: "pain", type: "category", categories: 4, impute: "mode" },
      { column: "pressure", type: "number", bounds: [40, 240], impute: "median", scale: "standard", indicate: false, bins: 256 },
    ]);
    const steps = stepsOf({
      numbers: { impute: "mean", scale: "robust", indicate: true },
      categories: { impute: "category" },
      columns: { age: { impute: "none", scale: "none", indicate: false, clip: [18, 90] } },
      bins: 16,
    });
    expect(steps).toEqual([
      { column: "age", type: "number", bounds: [18, 90], impute: "none", scale: "none", indicate: false, bins: 16 },
      { column: "pain", type: "category", categories: 4, impute: "category" },
      { column: "pressure", type: "number", bounds: [40, 240], impute: "mean", scale: "robust", indicate: true, bins: 16 },
    ]);
    expect(preparedLength(steps)).toBe(1 + 5 + 2);
    expect(statisticsLength(steps)).toBe(19 + 4 + 19);
  });

  it("refuses what cannot be done, with the remedy", () => {
    const open = {
      ...SCHEMA,
      columns: SCHEMA.columns.map((column) => (column.name === "age" ? { name: "age", role: "feature", type: "number" } : column)),
    };
    expect(refusalsOf({}, open as TableSchema)).toMatchObject([{ path: "preprocess.columns.age.clip", reason: expect.stringContaining("no range") }]);
    expect(stepsOf({ columns: { age: { clip: [0, 120] } } }, open as TableSchema)[0]).toMatchObject({ bounds: [0, 120] });
    expect(refusalsOf({ columns: { agee: { impute: "mean" } } })).toMatchObject([
      { path: "preprocess.columns.agee", remedy: expect.stringContaining('"age"') as string },
    ]);
    expect(refusalsOf({ columns: { site: {} } })).toMatchObject([{ reason: 'The column "site" is no feature.' }]);
    expect(
      refusalsOf({ columns: { age: { impute: "mode" }, pain: { impute: "mean", scale: "robust" }, pressure: { clip: [300, 400] } } }),
    ).toMatchObject([
      { path: "preprocess.columns.age.impute", edits: [{ value: "median" }] },
      { path: "preprocess.columns.pain.impute", edits: [{ value: "mode" }] },
      { path: "preprocess.columns.pain.scale" },
      { path: "preprocess.columns.pressure.clip", edits: [{ value: [40, 240] }] },
    ]);
    for (const clip of [
      [-1e308, 1e308],
      [0, 1e39],
    ]) {
      expect(refusalsOf({ columns: { age: { clip } } })).toMatchObject([
        { path: "preprocess.columns.age.clip", reason: expect.stringContaining("32 bits") as string },
      ]);
    }
    const wide = {
      ...SCHEMA,
      columns: [...SCHEMA.columns, ...Array.from({ length: 100 }, (_, index) => ({ ...SCHEMA.columns[1]!, name: `n${index}` }))],
    };
    expect(refusalsOf({ bins: 4096 }, wide)).toMatchObject([{ path: "preprocess.bins" }]);
    const images = datasetSchema.parse({ kind: "tensor", shape: [2], element: "f32", task: "classification", classes: 2 });
    expect(refusalsOf({}, images)).toMatchObject([{ path: "preprocess", reason: expect.stringContaining("tensor") as string }]);
  });
});

describe("what rows are prepared by", () => {
  it("is worked out by hand: mean, deviation and median of what is known, the mode, and what follows when gaps are filled", () => {
    const { rows, columns } = fitted(stepsOf({ numbers: { impute: "mean" } }), A, B);
    const [age, pain, pressure] = columns;
    expect(rows).toBe(5);
    // 20, 30, 50, 60 and once 40, their mean: variance (400 + 100 + 100 + 400 + 0) / 5.
    expect(age).toMatchObject({ type: "number", clip: [0, 100], indicate: false, statistics: { missing: 1 } });
    if (age?.type !== "number" || pressure?.type !== "number") throw new TypeError("Two columns are of numbers.");
    expect(age.fill).toBeCloseTo(40, 6);
    expect(age.offset).toBeCloseTo(40, 6);
    expect(age.divisor).toBeCloseTo(Math.sqrt(200), 5);
    expect(age.statistics.mean).toBeCloseTo(40, 6);
    expect(age.statistics.deviation).toBeCloseTo(Math.sqrt(250), 5);
    expect(age.statistics.histogram).toEqual([0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0]);
    expect(pressure.fill).toBeCloseTo(135, 6);
    expect(pain).toEqual({ column: "pain", type: "category", categories: 4, fill: 1, statistics: { missing: 1, counts: [1, 2, 0, 1] } });
  });

  it("is a model's part that can be read again", () => {
    const preprocessing = fitted(stepsOf({ categories: { impute: "category" } }), A, B);
    expect(preprocessingSchema.parse(JSON.parse(JSON.stringify(preprocessing)))).toEqual(preprocessing);
    const [age, pain] = preprocessing.columns;
    const spoilt = (columns: readonly unknown[]) => preprocessingSchema.safeParse({ ...preprocessing, columns }).success;
    expect(spoilt([{ ...age, divisor: 0 }])).toBe(false);
    expect(spoilt([{ ...pain, fill: 4 }])).toBe(false);
    expect(spoilt([{ ...pain, categories: 5 }])).toBe(false);
  });

  it("is what the rows themselves give, however they lie with parties (means, deviations, quartiles to a bin)", () => {
    const cell = fc.option(
      fc.integer({ min: 0, max: 1000 }).map((tenth) => tenth / 10),
      { freq: 5 },
    );
    const row = fc.tuple(
      cell,
      fc.option(fc.nat(3)),
      cell.map((value) => (value === null ? null : 40 + value * 2)),
    );
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 4, maxLength: 60 }),
        fc.nat(60),
        fc.constantFrom("mean" as const, "median" as const),
        (rows, cut, impute) => {
          fc.pre(rows.some(([age]) => age !== null) && rows.some(([, pain]) => pain !== null) && rows.some(([, , pressure]) => pressure !== null));
          const steps = stepsOf({ numbers: { impute, scale: "standard" } });
          const at = cut % rows.length;
          const [age, pain] = fitted(steps, rowsOf(...rows.slice(0, at)), rowsOf(...rows.slice(at))).columns;
          if (age?.type !== "number" || pain?.type !== "category") throw new TypeError("Columns in the order of the schema.");

          const known = rows.flatMap(([value]) => (value === null ? [] : [value])).toSorted((a, b) => a - b);
          const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
          if (impute === "mean") expect(age.fill).toBeCloseTo(mean(known), 4);
          const lower = known[Math.ceil(known.length / 2) - 1]!;
          const upper = known[Math.floor(known.length / 2)]!;
          expect(age.statistics.median).toBeGreaterThanOrEqual(lower - 100 / 256 - 1e-9);
          expect(age.statistics.median).toBeLessThanOrEqual(upper + 100 / 256 + 1e-9);
          // As if the rows had been filled first.
          const filled = rows.map(([value]) => value ?? age.fill!);
          const centre = mean(filled);
          const deviation = Math.sqrt(mean(filled.map((value) => (value - centre) ** 2)));
          expect(age.offset).toBeCloseTo(centre, 4);
          expect(age.divisor).toBeCloseTo(deviation > 0.01 ? deviation : 1, 3);
          const counts = [0, 1, 2, 3].map((category) => rows.filter(([, value]) => value === category).length);
          expect(pain.statistics.counts).toEqual(counts);
          expect(pain.fill).toBe(counts.indexOf(Math.max(...counts)));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("scales robustly by quartiles, and leaves a constant column at its distance", () => {
    const steps = stepsOf({ numbers: { impute: "median", scale: "robust" }, bins: 4096 });
    const rows = rowsOf(...Array.from({ length: 101 }, (_, index) => [index, 0, 100]));
    const [age, , pressure] = fitted(steps, rows).columns;
    if (age?.type !== "number" || pressure?.type !== "number") throw new TypeError("Two columns are of numbers.");
    expect(age.offset).toBeCloseTo(50, 0);
    expect(Math.abs(age.divisor - 50)).toBeLessThan(1);
    expect(pressure.divisor).toBe(1);
    const [, , still] = fitted(stepsOf({}), rows).columns;
    expect(still).toMatchObject({ divisor: 1, offset: expect.closeTo(100, 3) as number });
  });

  it("scales by the deviation where quartiles lie in one bin, so that the few other values do not become hundreds", () => {
    // Nine of ten are 0: the quartiles are, and a histogram tells of no difference between them.
    const rows = rowsOf(...Array.from({ length: 100 }, (_, index) => [index % 10 === 9 ? 100 : 0, 0, 100]));
    const preprocessing = fitted(stepsOf({ numbers: { scale: "robust" } }), rows);
    expect(preprocessing.columns[0]).toMatchObject({ divisor: expect.closeTo(30, 6) as number });
    expect(Math.max(...prepareExamples(preprocessing, rows).features)).toBeLessThan(4);
  });

  it("fills the gaps of a constant column with its one value, so that a bin's width is taken for no deviation", () => {
    for (const scale of ["standard", "robust"] as const) {
      const rows = rowsOf([37, 0, 100], [null, 0, 100], [37, 0, null]);
      const preprocessing = fitted(stepsOf({ numbers: { impute: "median", scale } }), rows);
      expect(preprocessing.columns[0]).toMatchObject({
        ...{ fill: expect.closeTo(37, 6) as number, offset: expect.closeTo(37, 6) as number, divisor: 1 },
        statistics: { median: expect.closeTo(37, 6) as number, deviation: 0 },
      });
    }
  });

  it("names columns without a spread: of one value, or of values that differ too little for their range", () => {
    const rows = rowsOf([40, 0, 100], [60, 1, 100], [50, 0, null]);
    const named = (age: readonly [number, number]) => constantColumns(fitted(stepsOf({ columns: { age: { clip: age } } }), rows));
    expect(named([0, 120])).toEqual(["pressure"]);
    expect(named([0, 1e5])).toEqual(["pressure"]);
    expect(named([0, 1e7])).toEqual(["age", "pressure"]);
  });

  it("takes no rounding of sums for a deviation, however little of a column is known of many rows", () => {
    const maxRows = 2 ** 27;
    const steps = stepsOf({});
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), (tenth) => {
        const sums = rowStatistics(steps, rowsOf([tenth / 10, 0, 100]), maxRows).map((sum) => Math.round(sum * 2 ** 20) / 2 ** 20);
        expect(fitPreprocessing(steps, sums, 1, maxRows).columns[0]).toMatchObject({ divisor: 1 });
      }),
    );
  });

  it.each([Number.MIN_VALUE, 1e-309])("is finite over a range as narrow as %d", (end) => {
    const steps = stepsOf({ columns: { age: { clip: [0, end] } } });
    const preprocessing = fitted(steps, rowsOf([0, 0, 100], [1, 0, 100]));
    expect(preprocessingSchema.safeParse(preprocessing).success).toBe(true);
    expect(prepareExamples(preprocessing, A).features.every((value) => Number.isFinite(value))).toBe(true);
  });

  it("is refused where nobody knows a cell", () => {
    const blank = rowsOf([null, 0, 100], [null, 1, 120]);
    expect(() => fitted(stepsOf({}), blank)).toThrow(NexusError);
    expect(() => fitted(stepsOf({}), blank)).toThrow('"age"');
    expect(() => fitted(stepsOf({}), rowsOf([1, null, 100]))).toThrow('"pain"');
    expect(fitted(stepsOf({ categories: { impute: "category" } }), rowsOf([1, null, 100])).columns[1]).toMatchObject({ fill: "own" });
  });
});

describe("rows as inputs", () => {
  const preprocessing = fitted(
    stepsOf({
      numbers: { impute: "mean", indicate: true },
      categories: { impute: "category" },
      columns: { pressure: { clip: [100, 160], scale: "none" } },
    }),
    A,
    B,
  );

  it("have gaps filled, numbers clipped and scaled, categories one-hot", () => {
    const prepared = prepareExamples(preprocessing, rowsOf([20, 0, 90], [null, null, 180], [60, 3, null]));
    expect(prepared.featureLength).toBe(2 + 5 + 2);
    const scaled = 20 / Math.sqrt(200);
    const filled = (100 + 140 + 120 + 160) / 4; // 180 is moved to the end of its column
    expect(Array.from(prepared.features, (value) => Number(value.toFixed(4)))).toEqual(
      [-scaled, 0, 1, 0, 0, 0, 0, 100, 0, 0, 1, 0, 0, 0, 0, 1, 160, 0, scaled, 0, 0, 0, 0, 1, 0, filled, 1].map((value) => Number(value.toFixed(4))),
    );
  });

  it("are refused with a missing cell that nothing fills, naming column and row", () => {
    const strict = fitted(stepsOf({ columns: { age: { impute: "none" } } }), B);
    expect(() => prepareFeatures(strict, rowsOf([1, 1, 100], [null, 1, 100]).features, "The rows")).toThrow(
      'The rows: the cell of column "age" in row 2',
    );
  });
});

describe("statistics that no rows have", () => {
  const steps = stepsOf({ bins: 16 });
  const honest = rowStatistics(steps, A, MAX_ROWS);
  const changed = (index: number, value: number) => Object.assign(honest.slice(), { [index]: value });

  it("are told from those of rows", () => {
    expect(impossibleStatistics(steps, honest, 3, MAX_ROWS)).toBeUndefined();
    // Rounded as they travel.
    expect(
      impossibleStatistics(
        steps,
        honest.map((one) => Math.round(one * 2 ** 20) / 2 ** 20),
        3,
        MAX_ROWS,
      ),
    ).toBeUndefined();
    expect(impossibleStatistics(steps, honest, 2, MAX_ROWS)).toContain("it has 2 rows");
    expect(impossibleStatistics(steps, changed(0, 3), 3, MAX_ROWS)).toContain("known cells");
    expect(impossibleStatistics(steps, changed(1, 1e12), 3, MAX_ROWS)).toContain('sums of the column "age"');
    expect(impossibleStatistics(steps, changed(2, -5), 3, MAX_ROWS)).toContain("sums");
    expect(impossibleStatistics(steps, changed(4, -1), 3, MAX_ROWS)).toContain("whole number");
    expect(impossibleStatistics(steps, changed(20, 0.5), 3, MAX_ROWS)).toContain('count of the column "pain"');
    expect(impossibleStatistics(steps, changed(20, 9), 3, MAX_ROWS)).toContain('of the column "pain" add up to 1');
  });

  it("are told from them where the sums are of other values than the histogram, or have a negative variance", () => {
    const [known, sum, squares] = honest as unknown as [number, number, number];
    const scale = sum / (0.2 + 0.3);
    const refused = 'The sums of the column "age" are those of no 2 values.';
    // Ages of 20 and 30 lie in the bins from 18.75 to 25 and from 25 to 31.25.
    expect(impossibleStatistics(steps, changed(1, 0.43 * scale), 3, MAX_ROWS)).toBe(refused);
    expect(impossibleStatistics(steps, changed(1, 0.57 * scale), 3, MAX_ROWS)).toBe(refused);
    expect(impossibleStatistics(steps, changed(2, 0), 3, MAX_ROWS)).toBe(refused);
    expect(impossibleStatistics(steps, changed(2, sum), 3, MAX_ROWS)).toBe(refused);
    // Within the bins, but less than values with this sum have.
    expect(impossibleStatistics(steps, changed(2, (sum * sum) / (known * scale) - 0.01 * squares), 3, MAX_ROWS)).toBe(refused);
  });

  it("are never those of rows, however these lie and are rounded", () => {
    const age = fc.option(
      fc.oneof(
        fc.float({ min: -10, max: 120, noNaN: true }),
        fc.integer({ min: 0, max: 48 }).map((part) => (part * 100) / 48),
      ),
    );
    fc.assert(
      fc.property(
        fc.array(age, { minLength: 1, maxLength: 40 }),
        fc.constantFrom(16, 48, 256),
        fc.constantFrom(40, 1e6, 1e9),
        (ages, bins, maxRows) => {
          const fine = stepsOf({ bins });
          const sums = rowStatistics(fine, rowsOf(...ages.map((one) => [one, 0, one === null ? 100 : 40 + one])), maxRows);
          const uploaded = sums.map((one) => Math.round(one * 2 ** 20) / 2 ** 20);
          expect(impossibleStatistics(fine, uploaded, ages.length, maxRows)).toBeUndefined();
        },
      ),
    );
  });
});
