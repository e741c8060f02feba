import { expect, it } from "vitest";
import { readModelCard } from "./index.ts";

const number = {
  ...{ column: "age", type: "number", clip: [0, 120], fill: 54, offset: 54, divisor: 9, indicate: false },
  statistics: { missing: 0, mean: 54, deviation: 9, median: 54, histogram: Array.from({ length: 16 }, () => 1) },
};
const category = { column: "pain", type: "category", categories: 3, fill: 1, statistics: { missing: 1, counts: [4, 9, 2] } };

const read = (...columns: readonly unknown[]) => readOf(4, ...columns);

const readOf = (inputLength: number, ...columns: readonly unknown[]) =>
  readModelCard(
    {
      version: 1,
      name: "hearts",
      model: { hash: "0".repeat(64), format: "safetensors", network: { inputLength, layers: [{ kind: "dense", units: 1 }], loss: "bce" } },
      data: {
        schema: {
          kind: "table",
          task: "classification",
          columns: [
            { name: "age", role: "feature", type: "number" },
            { name: "ill", role: "label", type: "category", categories: ["no", "yes"] },
            { name: "pain", role: "feature", type: "category", categories: ["typical", "none"], undeclared: "other" },
          ],
        },
        ...(columns.length === 0 ? {} : { preprocessing: { version: 1, rows: 16, columns } }),
      },
    },
    "the card",
  );

it("reads how a model's rows are prepared, where that is of its schema's features", () => {
  expect(read(number, category).preprocessing?.columns).toMatchObject([{ column: "age" }, { column: "pain" }]);
});

it.each([
  ["in another order", [category, number]],
  ["of other names", [{ ...number, column: "weight" }, category]],
  ["of other types", [number, { ...number, column: "pain" }]],
  ["of too few categories", [number, { ...category, categories: 2, statistics: { missing: 0, counts: [1, 1] } }]],
  ["left out", [number]],
])("refuses a card that prepares columns %s", (_name, columns) => {
  expect(() => read(...columns)).toThrow(expect.objectContaining({ code: "MODEL_NOT_USABLE" }));
});

it("refuses a card whose network takes other rows than those of its schema, prepared or as they are", () => {
  expect(readOf(2).network.inputLength).toBe(2);
  for (const wrong of [() => readOf(4), () => readOf(1), () => readOf(2, number, category), () => readOf(8, number, category)]) {
    expect(wrong).toThrow(expect.objectContaining({ code: "MODEL_NOT_USABLE", message: expect.stringContaining("its network takes") as string }));
  }
});
