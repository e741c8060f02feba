import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomStream } from "../random/index.ts";
import { createDataset, type Dataset } from "./dataset.ts";
import type { TableSchema, TensorSchema } from "./dataset-schema.ts";
import type { Examples } from "./examples.ts";
import { holdOutRows } from "./hold-out.ts";
import type { PartitionOptionsInput } from "./partition/index.ts";
import { partyNames } from "./party-names.ts";
import { splitDataset } from "./split.ts";
import type { RowColumns } from "./table/table-rows.ts";

const schema: TensorSchema = { kind: "tensor", shape: [2], element: "f32", scale: 1, task: "classification", classes: 3 };

/** Rows whose first value is their own number. */
function numbered(count: number, testCount: number): Dataset {
  const random = randomStream(count, "rows");
  const rows = (size: number) => ({
    features: Float32Array.from({ length: size * 2 }, (_, i) => (i % 2 === 0 ? i / 2 : random.uniform())),
    featureLength: 2,
    targets: Uint8Array.from({ length: size }, () => random.below(3)),
    count: size,
  });
  return createDataset(schema, rows(count), rows(testCount));
}

const firstValues = (features: ArrayLike<number>): number[] => Array.from(features).filter((_, i) => i % 2 === 0);

describe("splitDataset", () => {
  it("gives the parties all training and all test rows, each once, with their labels", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom<PartitionOptionsInput>({ kind: "iid" }, { kind: "shards" }, { kind: "dirichlet" }),
        fc.nat(),
        (parties, partition, seed) => {
          const whole = numbered(60, 7);
          const parts = splitDataset(whole, { parties, partition, seed });
          expect(parts.map(({ party }) => party)).toEqual(partyNames(parties));
          for (const part of ["train", "test"] as const) {
            const rows = parts.flatMap(({ dataset }) => firstValues(dataset[part]?.features ?? []));
            expect(rows.toSorted((a, b) => a - b)).toEqual(Array.from({ length: whole[part]!.count }, (_, row) => row));
          }
          for (const { dataset } of parts) {
            expect(Array.from(dataset.train.targets)).toEqual(firstValues(dataset.train.features).map((row) => whole.train.targets[row]));
            expect(dataset.test?.count ?? 0).toBeGreaterThanOrEqual(Math.floor(7 / parties));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("gives a party the same data in whatever order the parties are named, and another with another seed", () => {
    const whole = numbered(60, 20);
    const hashes = (parties: readonly string[], seed: number) =>
      Object.fromEntries(
        splitDataset(whole, { parties, partition: { kind: "dirichlet" }, seed }).map(({ party, dataset }) => [party, dataset.contentHash]),
      );
    const forward = hashes(["oslo", "bern", "wien"], 1);
    expect(hashes(["wien", "oslo", "bern"], 1)).toEqual(forward);
    expect(hashes(["oslo", "bern", "wien"], 2)).not.toEqual(forward);
  });

  it("draws a party's rows at random where it may keep only some", () => {
    const parts = splitDataset(numbered(600, 0), { parties: 3, partition: { kind: "iid" }, seed: 4, examplesPerParty: 20 });
    for (const { dataset } of parts) {
      expect(dataset.train.count).toBe(20);
      expect(dataset.test).toBeUndefined();
      const rows = firstValues(dataset.train.features);
      expect(rows).toEqual(rows.toSorted((a, b) => a - b));
      expect(Math.max(...rows)).toBeGreaterThan(300);
    }
  });

  it("keeps all rows in one buffer, which threads can share", () => {
    const options = { parties: 5, partition: { kind: "iid" }, seed: 1 } as const;
    const parts = splitDataset(numbered(60, 20), { ...options, shared: true });
    expect(new Set(parts.map(({ dataset }) => dataset.train.features.buffer)).size).toBe(1);
    expect(parts[0]!.dataset.train.features.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(parts.map(({ dataset }) => dataset.contentHash)).toEqual(
      splitDataset(numbered(60, 20), options).map(({ dataset }) => dataset.contentHash),
    );
  });
});

describe("partyNames", () => {
  it("sort as they count", () => {
    expect(partyNames(3)).toEqual(["party-01", "party-02", "party-03"]);
    expect(partyNames(1_000).toSorted()).toEqual(partyNames(1_000));
  });
});

describe("holdOutRows", () => {
  it("keeps every row once, in order, and draws the same again", () => {
    const { train: all } = numbered(50, 0);
    const { train, test } = holdOutRows(schema, all, { fraction: 0.25, seed: 3 });
    expect([train.count, test.count]).toEqual([38, 12]);
    const [kept, held] = [firstValues(train.features), firstValues(test.features)];
    expect([...kept, ...held].toSorted((a, b) => a - b)).toEqual(firstValues(all.features));
    expect(kept).toEqual(kept.toSorted((a, b) => a - b));
    expect(holdOutRows(schema, all, { fraction: 0.25, seed: 3 }).test).toEqual(test);
    expect(holdOutRows(schema, all, { fraction: 0.25, seed: 4 }).test).not.toEqual(test);
  });

  it("refuses to hold everything out", () => {
    expect(() => holdOutRows(schema, numbered(1, 0).train, { fraction: 0.5, seed: 0 })).toThrow(expect.objectContaining({ code: "DATA_INVALID" }));
  });
});

describe("splits by a column", () => {
  const table: TableSchema = {
    kind: "table",
    task: "classification",
    columns: [
      { name: "place", role: "id", type: "text" },
      { name: "year", role: "feature", type: "number" },
      { name: "sex", role: "feature", type: "category", categories: ["f", "m"] },
      { name: "ill", role: "label", type: "category", categories: ["no", "yes"] },
    ],
  };
  const rows: Examples = {
    features: Float32Array.of(2003, 0, 2001, 1, 2002, 1, 2004, 0),
    featureLength: 2,
    targets: Uint8Array.of(0, 1, 0, 1),
    count: 4,
  };
  const years = (partition: PartitionOptionsInput, columns?: RowColumns): number[][] =>
    splitDataset(createDataset(table, rows, undefined, columns), { parties: 2, partition, seed: 1 }).map(({ dataset }) =>
      [...dataset.train.features].filter((_, i) => i % 2 === 0),
    );

  it("take kept texts, features and labels", () => {
    expect(years({ kind: "natural", column: "place" }, new Map([["place", ["oslo", "bern", "oslo", "bern"]]]))).toEqual([
      [2001, 2004],
      [2003, 2002],
    ]);
    expect(years({ kind: "natural", column: "sex" })).toEqual([
      [2003, 2004],
      [2001, 2002],
    ]);
    expect(years({ kind: "natural", column: "ill" })).toEqual([
      [2003, 2002],
      [2001, 2004],
    ]);
    expect(years({ kind: "time", column: "year" })).toEqual([
      [2001, 2002],
      [2003, 2004],
    ]);
  });

  it("refuse a column that is not there or was not kept", () => {
    expect(() => years({ kind: "natural", column: "town" })).toThrow('The data has no column "town"');
    expect(() => years({ kind: "natural", column: "place" })).toThrow('The texts of the column "place" were not kept');
  });
});
