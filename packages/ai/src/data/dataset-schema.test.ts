import { describe, expect, it } from "vitest";
import { z } from "zod";
import { classCount, datasetSchema, featureColumns, featureLength, labelColumn, schemaText, type TableSchema } from "./dataset-schema.ts";
import { registeredSchema, rowSchema } from "./registered-schema.ts";

const table: TableSchema = {
  kind: "table",
  task: "classification",
  columns: [
    { name: "b", role: "feature", type: "number", range: [0, 1] },
    { name: "ill", role: "label", type: "category", categories: ["no", "yes"] },
    { name: "a", role: "feature", type: "category", categories: ["x"], missing: ["?"] },
    { name: "who", role: "id", type: "text" },
  ],
};
const tensor = { kind: "tensor", shape: [28, 28], element: "u8", scale: 1 / 255, task: "classification", classes: 10 } as const;

describe("datasetSchema", () => {
  it("reads tables and tensors, and survives JSON", () => {
    for (const schema of [table, tensor]) expect(datasetSchema.parse(JSON.parse(JSON.stringify(schema)))).toEqual(schema);
    expect(featureColumns(table).map(({ name }) => name)).toEqual(["b", "a"]);
    expect(labelColumn(table).name).toBe("ill");
    expect([featureLength(table), classCount(table), featureLength(datasetSchema.parse(tensor)), classCount(datasetSchema.parse(tensor))]).toEqual([
      2, 2, 784, 10,
    ]);
  });

  it("has one spelling", () => {
    expect(
      schemaText(datasetSchema.parse({ classes: 10, task: "classification", scale: 1 / 255, element: "u8", shape: [28, 28], kind: "tensor" })),
    ).toBe('{"classes":10,"element":"u8","kind":"tensor","scale":0.00392156862745098,"shape":[28,28],"task":"classification"}');
  });

  const withColumns = (...columns: unknown[]) => ({ ...table, columns });
  const [b, ill, a] = table.columns;
  it.each([
    ["two columns of one name", withColumns(b, b, ill), "columns.1.name"],
    ["no feature", withColumns(ill, { name: "who", role: "id", type: "text" }), "columns"],
    ["no label", withColumns(b, a), "columns"],
    ["two labels", withColumns(b, ill, { ...ill, name: "dead" }), "columns"],
    ["a number as class label", withColumns(b, { name: "y", role: "label", type: "number" }), "columns.1.type"],
    ["a category as regression label", { ...withColumns(b, ill), task: "regression" }, "columns.1.type"],
    ["one class", withColumns(b, { ...ill, categories: ["no"] }), "columns.1.categories"],
    ["a category twice", withColumns(b, { ...ill, categories: ["no", "no"] }), "columns.1.categories"],
    ["texts of no category", withColumns(b, { ...ill, texts: { maybe: ["2"] } }), "columns.1.texts"],
    ["a text of two categories", withColumns(b, { ...ill, texts: { no: ["0"], yes: ["1", " 0 "] } }), "columns.1.texts"],
    ["another category's name as a text", withColumns(b, { ...ill, texts: { yes: ["no"] } }), "columns.1.texts"],
    ["a missing code as a text", withColumns(b, { ...ill, missing: ["9"], texts: { yes: ["9"] } }), "columns.1.texts"],
    ["blanks as a text", withColumns(b, { ...ill, texts: { yes: [" "] } }), "columns.1.texts"],
    ["a category without its texts", withColumns(b, { ...ill, texts: { yes: [] } }), "columns.1.texts.yes"],
    ["other classes of a label", withColumns(b, { ...ill, undeclared: "other" }), "columns.1.undeclared"],
    ["another name for what is undeclared", withColumns({ ...a, undeclared: "rest" }, ill), "columns.0.undeclared"],
    ["a range that ends before it begins", withColumns({ ...b, range: [1, 0] }, ill), "columns.0.range"],
    ["free text as feature", withColumns(b, ill, { name: "n", role: "feature", type: "text" }), "columns.2.role"],
    ["an unknown key", { ...tensor, channels: 1 }, ""],
    ["classes of a regression", { ...tensor, task: "regression" }, "classes"],
    ["a classification without classes", { ...tensor, classes: undefined }, "classes"],
    ["scaled floats", { ...tensor, element: "f32" }, "scale"],
    ["a row beyond memory", { ...tensor, shape: [1_000_000, 1_000_000] }, "shape"],
  ])("refuses %s", (_, schema, path) => {
    const parsed = datasetSchema.safeParse(schema);
    expect(parsed.success).toBe(false);
    expect(parsed.error?.issues.map((issue) => issue.path.join("."))).toContain(path);
  });

  it("has a JSON Schema, for forms and documentation", () => {
    expect(JSON.stringify(z.toJSONSchema(datasetSchema, { io: "input" }))).toContain('"const":"tensor"');
  });
});

describe("registeredSchema", () => {
  it("also takes data that only a trainer of the party's own knows", () => {
    expect(registeredSchema.parse({ kind: "opaque", description: "scans" })).toEqual({ kind: "opaque", description: "scans" });
    expect(registeredSchema.parse(tensor)).toEqual(tensor);
    expect(registeredSchema.safeParse({ kind: "opaque", rows: [] }).success).toBe(false);
  });

  it("carries counts of missing cells, which a dataset's own schema does not", () => {
    const counted = { ...tensor, missingCells: [{ column: "value 3", count: 2 }] };
    expect(registeredSchema.parse(counted)).toEqual(counted);
    expect(rowSchema(registeredSchema.parse(counted))).toEqual(tensor);
    expect(datasetSchema.safeParse(counted).success).toBe(false);
    for (const count of [0, -1, 0.5]) expect(registeredSchema.safeParse({ ...tensor, missingCells: [{ column: "a", count }] }).success).toBe(false);
  });

  it("is as strict about the rest as a dataset's own schema", () => {
    const text = { kind: "table", task: "classification", columns: [{ name: "a", role: "feature", type: "number" }], missingCells: [] };
    expect(registeredSchema.safeParse(text).error?.issues.map(({ path }) => path.join("."))).toContain("columns");
    expect(registeredSchema.safeParse({ ...tensor, classes: undefined }).success).toBe(false);
  });
});
