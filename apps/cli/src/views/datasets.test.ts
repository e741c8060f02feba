import { create } from "@bufbuild/protobuf";
import type { RegisteredSchema } from "@ciphernx/ai/data";
import { DatasetSchema } from "@ciphernx/protocol/proto";
import { expect, it } from "vitest";
import { formatDataset } from "./datasets.ts";

const dataset = (schema: RegisteredSchema) =>
  create(DatasetSchema, {
    ...{ id: "ds_1", name: "heart", nodeName: "clinic-a", trainExamples: 8n, testExamples: 2n, contentHash: "c".repeat(64) },
    schemaJson: JSON.stringify(schema),
  });

it("shows a table's columns with what they may hold and how much of them is missing", () => {
  const lines = formatDataset(
    dataset({
      kind: "table",
      task: "classification",
      columns: [
        { name: "patient", role: "id", type: "text" },
        { name: "chol", role: "feature", type: "number", range: [0, 600], missing: ["0", "?"] },
        { name: "thal", role: "feature", type: "category", categories: ["normal", "fixed", "reversible"] },
        { name: "site", role: "feature", type: "category", categories: Array.from({ length: 40 }, (_, index) => `ward-${index}`) },
        { name: "sick", role: "label", type: "category", categories: ["no", "yes"] },
      ],
      missingCells: [{ column: "chol", count: 4 }],
    }),
  ).split("\n");
  expect(lines).toContain("rows        classification, 5 columns");
  expect(lines).toContain("missing     4 cells of features, 13.33% of them");
  expect(lines.slice(-6)).toEqual([
    "COLUMN   ROLE     TYPE        MISSING  VALUES",
    "patient  id       text",
    'chol     feature  number    4, 40.00%  0 to 600; missing as "0", "?"',
    "thal     feature  category          0  3: normal, fixed, reversible",
    "site     feature  category          0  40: ward-0, ward-1, ward-2, ward-3, ward…",
    "sick     label    category             2: no, yes",
  ]);
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
});

it("shows the texts that stand for a category, and that others are read alike", () => {
  const shown = formatDataset(
    dataset({
      kind: "table",
      task: "classification",
      columns: [
        { name: "cp", role: "feature", type: "category", categories: ["none", "pain"], texts: { pain: ["1", "2"] }, undeclared: "other" },
        { name: "ill", role: "label", type: "category", categories: ["no", "yes"], texts: { no: ["0"], yes: ["1"] } },
      ],
    }),
  );
  expect(shown).toContain("2: none, pain (1, 2); all others alike");
  expect(shown).toContain("2: no (0), yes (1)");
});

it("shows what rows are that have no columns", () => {
  const images = formatDataset(dataset({ kind: "tensor", shape: [28, 28], element: "u8", scale: 1 / 255, task: "classification", classes: 10 }));
  expect(images).toContain("classification into 10 classes");
  expect(images).toContain("28 × 28 u8, each × 0.00392157");
  expect(images).toMatch(/missing +no cell of a feature$/);
  expect(formatDataset(dataset({ kind: "opaque" }))).toMatch(/rows +known to the party's own trainer alone\nmissing +not known$/);
});
