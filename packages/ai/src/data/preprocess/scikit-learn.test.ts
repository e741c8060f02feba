import { expect, it } from "vitest";
import { datasetSchema, type TableSchema } from "../dataset-schema.ts";
import type { Examples } from "../examples.ts";
import { columnSteps, fitPreprocessing, prepareFeatures, preprocessSection, rowStatistics, statisticsLength } from "./index.ts";

/**
 * Rows and what scikit-learn 1.9.1 makes of them: numbers with `make_pipeline(SimpleImputer(strategy="mean"), StandardScaler())`, categories
 * with `make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(categories=[[0, 1, 2, 3]]))`, side by side in the order of the
 * columns. The rows are made up after those of the Cleveland heart-disease data: age, chest pain, resting pressure, ST depression.
 */
const _ = Number.NaN;
const ROWS = [
  [63, 0, 145, 2.3],
  [67, 3, 160, 1.5],
  [67, 3, _, 2.6],
  [37, 2, 130, _],
  [41, 1, 130, 1.4],
  [_, 1, 120, 0.8],
  [62, _, 140, 3.6],
  [57, 3, _, 0.6],
  [63, 3, 130, _],
  [53, _, 140, 3.1],
  [57, 3, 140, 0.4],
  [56, 1, _, 1.3],
];
const PREPARED = [
  [0.7083306, 1, 0, 0, 0, 0.8292884, 0.5717568],
  [1.1535669, 0, 0, 0, 1, 2.4286304, -0.2752903],
  [1.1535669, 0, 0, 0, 1, 0, 0.8893995],
  [-2.1857057, 0, 0, 1, 0, -0.7700535, 0],
  [-1.7404694, 0, 1, 0, 0, -0.7700535, -0.3811712],
  [0, 0, 1, 0, 0, -1.8362815, -1.0164565],
  [0.5970215, 0, 0, 0, 1, 0.2961744, 1.9482083],
  [0.040476, 0, 0, 0, 1, 0, -1.2282183],
  [0.7083306, 0, 0, 0, 1, -0.7700535, 0],
  [-0.4047603, 0, 0, 0, 1, 0.2961744, 1.4188039],
  [0.040476, 0, 0, 0, 1, 0.2961744, -1.4399801],
  [-0.0708331, 0, 1, 0, 0, 0, -0.4870521],
];

const SCHEMA = datasetSchema.parse({
  kind: "table",
  task: "classification",
  columns: [
    { name: "age", role: "feature", type: "number", range: [0, 120] },
    { name: "pain", role: "feature", type: "category", categories: ["typical", "atypical", "other", "none"] },
    { name: "pressure", role: "feature", type: "number", range: [50, 250] },
    { name: "depression", role: "feature", type: "number", range: [-5, 10] },
    { name: "ill", role: "label", type: "category", categories: ["no", "yes"] },
  ],
}) as TableSchema;

function examplesOf(rows: readonly (readonly number[])[]): Examples {
  return { features: Float32Array.from(rows.flat()), featureLength: 4, targets: new Uint8Array(rows.length), count: rows.length };
}

it.each([
  ["of one party", [12]],
  ["of three parties, one of whom has a single row", [4, 1, 7]],
])("rows %s are prepared as scikit-learn prepares them together", (_name, counts) => {
  const steps = columnSteps(preprocessSection.schema.parse({ numbers: { impute: "mean" } })!, SCHEMA, [])!;
  const sums = new Float64Array(statisticsLength(steps));
  let at = 0;
  for (const count of counts) {
    for (const [index, sum] of rowStatistics(steps, examplesOf(ROWS.slice(at, at + count)), 12).entries()) sums[index]! += sum;
    at += count;
  }
  expect(at).toBe(ROWS.length);
  const preprocessing = fitPreprocessing(steps, sums, ROWS.length, 12);
  const [age, pain, pressure, depression] = preprocessing.columns;
  // statistics_ of SimpleImputer, scale_ of StandardScaler.
  expect(age).toMatchObject({ fill: expect.closeTo(56.63636364, 6) as number, divisor: expect.closeTo(8.9839925, 6) as number });
  expect(pain).toMatchObject({ fill: 3 });
  expect(pressure).toMatchObject({ fill: expect.closeTo(137.22222222, 6) as number, divisor: expect.closeTo(9.37885723, 6) as number });
  expect(depression).toMatchObject({ fill: expect.closeTo(1.76, 6) as number, divisor: expect.closeTo(0.94445752, 6) as number });
  const found = prepareFeatures(preprocessing, examplesOf(ROWS).features);
  const wanted = PREPARED.flat();
  expect(found.length).toBe(wanted.length);
  for (const [index, value] of wanted.entries()) expect(Math.abs(found[index]! - value), `value ${index}`).toBeLessThan(1e-5);
});
