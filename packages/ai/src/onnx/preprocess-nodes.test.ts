import { fromBinary } from "@bufbuild/protobuf";
import { OnnxModelSchema } from "@ciphernx/protocol/onnx";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { DatasetSchema } from "../data/index.ts";
import { prepareFeatures, type Preprocessing, preprocessingHash, preprocessingSchema } from "../data/preprocess/index.ts";
import { preparedWidth } from "../data/preprocess/preprocessing.ts";
import { createNetwork, type Kernel, loadKernel, networkLayout, type NetworkSpec } from "../nn/index.ts";
import { checkpointFromOnnx, exportOnnx } from "./index.ts";
import { parametersOf } from "./test/networks.ts";
import { runOnnx } from "./test/onnx-runtime.ts";

let kernel: Kernel;
beforeAll(async () => {
  kernel = await loadKernel();
});

type Column = Preprocessing["columns"][number];

function numberColumn(column: string, own: Partial<Extract<Column, { type: "number" }>> = {}): Column {
  const statistics = { missing: 0, mean: 0, deviation: 0, median: 0, histogram: Array.from({ length: 16 }, () => 0) };
  return { column, type: "number", clip: [0, 100], fill: 40, offset: 50, divisor: 20, indicate: false, statistics, ...own };
}

function categoryColumn(column: string, categories: number, fill: number | "own" | null = 0): Column {
  return { column, type: "category", categories, fill, statistics: { missing: 0, counts: Array.from({ length: categories }, () => 0) } };
}

function preprocessingOf(...columns: readonly Column[]): Preprocessing {
  return preprocessingSchema.parse({ version: 1, rows: 100, columns });
}

function widthOf({ columns }: Preprocessing): number {
  return columns.reduce((sum, column) => sum + preparedWidth(column), 0);
}

/** A network that gives its inputs: in evaluation nothing is dropped. */
function inputsAlone(inputLength: number): NetworkSpec {
  return { inputLength, layers: [{ kind: "dropout", rate: 0.5 }], loss: "mse" };
}

/** The features that an exported graph makes of rows. */
function runPreparation(preprocessing: Preprocessing, rows: Float32Array): Promise<Float32Array> {
  const file = exportOnnx({ network: inputsAlone(widthOf(preprocessing)), parameters: new Float32Array(), name: "rows", preprocessing });
  return runOnnx(file, rows, [preprocessing.columns.length]);
}

/** f32 keeps seven digits; a few of its steps are lost at most. */
function expectClose(found: Float32Array, wanted: Float32Array): void {
  expect(found.length).toBe(wanted.length);
  for (const [at, value] of wanted.entries())
    expect(Math.abs(found[at]! - value), `feature ${at}`).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(value)));
}

const shape: DatasetSchema = {
  kind: "table",
  task: "classification",
  columns: [
    { name: "patient", role: "id", type: "text" },
    { name: "age", role: "feature", type: "number", range: [0, 100] },
    { name: "pain", role: "feature", type: "category", categories: ["typical", "atypical"], undeclared: "other" },
    { name: "year", role: "feature", type: "number" },
    { name: "ill", role: "label", type: "category", categories: ["no", "yes"] },
  ],
};
const heart = preprocessingOf(
  numberColumn("age", { indicate: true }),
  categoryColumn("pain", 3, "own"),
  numberColumn("year", { clip: [1900, 2100], fill: 2003.5, offset: 2001.25, divisor: 4.5 }),
);
const network: NetworkSpec = {
  inputLength: 7,
  layers: [{ kind: "dense", units: 6 }, { kind: "relu" }, { kind: "dense", units: 2 }],
  loss: "softmax-cross-entropy",
};
const GAPS = Float32Array.of(63, 0, 1999, NaN, 1, 2150, 12, NaN, NaN, NaN, 2, 2001, -5, NaN, 1900, 120, 0, NaN);

describe("rows that a graph prepares", () => {
  it("are judged as the network judges rows that were prepared before it", async () => {
    const parameters = parametersOf(network);
    const plain = createNetwork(kernel, network, { maxBatch: 8 });
    plain.load(parameters);
    const file = exportOnnx({ network, parameters, name: "heart", schema: shape, preprocessing: heart });
    const found = await runOnnx(file, GAPS, [3]);
    const wanted = plain.predict(prepareFeatures(heart, GAPS));
    expect(new Set(wanted).size).toBeGreaterThan(6);
    for (const [at, value] of wanted.entries()) expect(found[at]).toBeCloseTo(value, 5);

    const { graph, metadataProps } = fromBinary(OnnxModelSchema, file);
    expect(graph?.input[0]?.docString).toContain("age, pain, year");
    expect(graph?.initializer.map(({ name }) => name)).toEqual(networkLayout(network).entries.map(({ name }) => name));
    expect(metadataProps).toContainEqual(expect.objectContaining({ key: "ciphernx.preprocessing", value: preprocessingHash(heart) }));
    expect(checkpointFromOnnx(file, networkLayout(network).entries).length).toBeGreaterThan(parameters.length * 4);
  });

  it("are what prepareFeatures makes of them, whatever the columns, to f32's own steps", async () => {
    const number = fc
      .record({
        middle: fc.integer({ min: -1000, max: 1000 }),
        size: fc.constantFrom(0.01, 1, 1000),
        divisor: fc.integer({ min: 1, max: 40 }),
        fill: fc.integer({ min: -20, max: 20 }),
        indicate: fc.boolean(),
      })
      .map(({ middle, size, divisor, fill, indicate }) =>
        numberColumn("n", {
          clip: [(middle - 12) * size, (middle + 17) * size],
          fill: (middle + fill) * size,
          offset: (middle + 1 / 3) * size,
          divisor: divisor * size,
          indicate,
        }),
      );
    const category = fc
      .integer({ min: 1, max: 5 })
      .chain((categories) => fc.oneof(fc.nat(categories - 1), fc.constant("own" as const)).map((fill) => categoryColumn("c", categories, fill)));
    const table = fc.array(fc.oneof(number, category), { minLength: 1, maxLength: 6 }).map((columns) => preprocessingOf(...columns));
    // From one clip's end to beyond the other, or a gap.
    const cells = fc.array(fc.option(fc.integer({ min: -15, max: 20 }), { freq: 4 }), { minLength: 60, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(table, cells, async (preprocessing, places) => {
        const { columns } = preprocessing;
        const rows = Float32Array.from({ length: columns.length * 10 }, (_, at) => {
          const place = places[at]!;
          const column = columns[at % columns.length]!;
          if (place === null) return Number.NaN;
          if (column.type === "category") return Math.abs(place) % column.categories;
          return column.clip[0] + ((place + 12) / 29) * (column.clip[1] - column.clip[0]);
        });
        expectClose(await runPreparation(preprocessing, rows), prepareFeatures(preprocessing, rows));
      }),
      { numRuns: 25 },
    );
  });

  it("give NaN where nothing stands in for a missing cell, and only there", async () => {
    const strict = preprocessingOf(numberColumn("age", { fill: null, indicate: true }), categoryColumn("pain", 2, null), numberColumn("pressure"));
    const found = await runPreparation(strict, Float32Array.of(50, 1, 90, NaN, 0, 50, 50, NaN, NaN));
    expect([...found]).toEqual([0, 0, 0, 1, 2, NaN, 1, 1, 0, 0, 0, 0, NaN, NaN, -0.5]);
  });

  it("of a thousand columns need no more nodes than those of ten", () => {
    const nodesOf = (columns: number): number => {
      const half = Array.from({ length: columns / 2 }, (_, index) => [
        numberColumn(`n${index}`, { indicate: true }),
        categoryColumn(`c${index}`, 3, "own"),
      ]);
      const preprocessing = preprocessingOf(...half.flat());
      const file = exportOnnx({ network: inputsAlone(widthOf(preprocessing)), parameters: new Float32Array(), name: "wide", preprocessing });
      return fromBinary(OnnxModelSchema, file).graph!.node.length;
    };
    expect(nodesOf(1000)).toBe(nodesOf(10));
    expect(nodesOf(10)).toBeLessThan(30);
  });
});

describe("preprocessing that cannot be exported", () => {
  const refused = (preprocessing: Preprocessing, schema?: DatasetSchema) => () =>
    exportOnnx({
      network: inputsAlone(widthOf(preprocessing)),
      parameters: new Float32Array(),
      name: "heart",
      preprocessing,
      ...(schema === undefined ? {} : { schema }),
    });
  const [age, pain, year] = heart.columns as [Column, Column, Column];

  it.each([
    ["an offset beyond f32", refused(preprocessingOf(numberColumn("age", { offset: 1e300 }))), '"age" is prepared in numbers that f32 does not have'],
    ["a divisor that f32 rounds to 0", refused(preprocessingOf(numberColumn("age", { divisor: 1e-60 }))), '"age" is prepared in numbers'],
    ["a column that the schema does not have", refused(preprocessingOf(age, pain), shape), "of 2 columns; a row of its schema has 3"],
    ["columns in another order", refused(preprocessingOf(pain, age, year), shape), '"pain" otherwise than its schema'],
    ["other categories", refused(preprocessingOf(age, categoryColumn("pain", 2), year), shape), '"pain" otherwise'],
    [
      "a network of another width",
      () => exportOnnx({ network, parameters: parametersOf(network), name: "x", preprocessing: preprocessingOf(age) }),
      "takes 7 features; its preprocessing makes 2",
    ],
  ])("%s is named", (_name, attempt, message) => {
    expect(attempt).toThrow(expect.objectContaining({ code: "MODEL_NOT_USABLE", message: expect.stringContaining(message) as string }));
  });
});
