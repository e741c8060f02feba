import { expect, it } from "vitest";
import { createDataset, datasetSchema } from "../data/index.ts";
import { columnSteps, fitPreprocessing, type Preprocessing, preprocessSection, rowStatistics } from "../data/preprocess/index.ts";
import { createPreparedRows } from "./prepared-rows.ts";

const tableOf = (...names: readonly string[]) =>
  datasetSchema.parse({
    kind: "table",
    task: "regression",
    columns: [...names.map((name) => ({ name, role: "feature", type: "number", range: [0, 10] })), { name: "cost", role: "label", type: "number" }],
  });
const rows = { features: Float32Array.of(1, 9, 3, Number.NaN), featureLength: 2, targets: new Float32Array(2), count: 2 };

function preprocessingOf(schema: ReturnType<typeof tableOf>): Preprocessing {
  const steps = columnSteps(preprocessSection.schema.parse({})!, schema, [])!;
  const columns = { ...rows, features: rows.features.subarray(0, steps.length * 2), featureLength: steps.length };
  return fitPreprocessing(steps, rowStatistics(steps, columns, 2), 2, 2, "constant");
}

it("rows are prepared once for all rounds, and anew for another run", () => {
  const schema = tableOf("height", "width");
  const dataset = createDataset(schema, rows, rows);
  const prepared = createPreparedRows();
  const preprocessing = preprocessingOf(schema);
  const first = prepared.of(dataset, preprocessing, "The rows");
  expect(Array.from(first.train.features, Math.round)).toEqual([-1, 0, 1, 0]);
  expect(first.test?.features).toEqual(first.train.features);
  // As it comes from the wire, round after round.
  expect(prepared.of(dataset, structuredClone(preprocessing), "The rows")).toBe(first);
  const [height, width] = preprocessing.columns;
  const other = { ...preprocessing, columns: [height!, { ...width!, offset: 0 } as typeof width & object] };
  expect(prepared.of(dataset, other, "The rows")).not.toBe(first);
});

it.each([
  ["in another order", ["width", "height"]],
  ["of other names", ["height", "depth"]],
  ["of which one is lacking", ["height"]],
])("columns %s are not prepared", (_what, names) => {
  const dataset = createDataset(tableOf("height", "width"), rows);
  expect(() => createPreparedRows().of(dataset, preprocessingOf(tableOf(...names)), "The rows of ash")).toThrow(
    expect.objectContaining({ code: "DATA_INVALID", message: expect.stringMatching(/^The rows of ash has other columns/) as string }),
  );
});
