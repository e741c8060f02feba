import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomStream } from "../../random/index.ts";
import { partyNames } from "../party-names.ts";
import { partition, type PartitionOptionsInput, partitioners, partitionSchema } from "./index.ts";

function randomLabels(count: number, classes: number, seed: number): Uint8Array {
  const random = randomStream(seed, "labels");
  return Uint8Array.from({ length: count }, () => random.below(classes));
}

const optionsArbitrary: fc.Arbitrary<PartitionOptionsInput> = fc.oneof(
  fc.constant<PartitionOptionsInput>({ kind: "iid" }),
  fc.integer({ min: 1, max: 4 }).map((shardsPerParty) => ({ kind: "shards" as const, shardsPerParty })),
  fc.constant<PartitionOptionsInput>({ kind: "natural", column: "place" }),
  fc.constantFrom("name" as const, "random" as const).map((order) => ({ kind: "time" as const, column: "when", order })),
  fc.record({ kind: fc.constant("quantity-skew" as const), alpha: fc.constantFrom(1e-3, 0.5, 100), minExamples: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant("dirichlet" as const), alpha: fc.constantFrom(1e-3, 0.1, 0.3, 1, 100), minExamples: fc.integer({ min: 1, max: 3 }) }),
);

const splitArbitrary = fc.record({
  options: optionsArbitrary,
  parties: fc.integer({ min: 1, max: 20 }),
  count: fc.integer({ min: 80, max: 400 }),
  classes: fc.integer({ min: 1, max: 12 }),
  seed: fc.nat(),
});

/** Forty places, and a time that neither rises nor falls. */
function columns(name: string): readonly (string | number)[] {
  return Array.from({ length: 500 }, (_, row) => (name === "place" ? `place ${row % 40}` : (row * 7_919) % 1_000));
}

/** Options of a kind, with a column where it takes one. */
const FILLED: Readonly<Record<string, object>> = { natural: { column: "place" }, time: { column: "when", order: "random" } };

describe("every partitioner", () => {
  it("gives each row to exactly one party, ascending, and none to nobody", () => {
    fc.assert(
      fc.property(splitArbitrary, ({ options, parties, count, classes, seed }) => {
        const parts = partition(randomLabels(count, classes, seed), parties, options, seed, (name) => columns(name).slice(0, count));
        expect(parts.length).toBe(parties);
        for (const part of parts) {
          expect(part.length).toBeGreaterThanOrEqual(1);
          expect([...part]).toEqual(Array.from(part.toSorted()));
        }
        expect(parts.flatMap((part) => [...part]).toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, row) => row));
      }),
      { numRuns: 150 },
    );
  });

  it("is a function of labels, names, options and seed, and of nothing else", () => {
    fc.assert(
      fc.property(splitArbitrary, ({ options, parties, count, classes, seed }) => {
        const labels = randomLabels(count, classes, seed);
        const names = partyNames(parties);
        const of = (name: string) => columns(name).slice(0, count);
        const parts = partition(labels, names, options, seed, of);
        expect(partition(Array.from(labels), parties, options, seed, of)).toEqual(parts);
        const mixed = randomStream(seed, "mix").shuffle([...names]);
        const again = partition(labels, mixed, options, seed, of);
        mixed.forEach((name, i) => expect(again[i]).toEqual(parts[names.indexOf(name)]));
      }),
      { numRuns: 50 },
    );
  });

  it.each(Object.keys(partitioners))("%s: another seed gives another split", (kind) => {
    const labels = randomLabels(500, 10, 1);
    const options = partitionSchema.parse({ kind, ...FILLED[kind] });
    expect(partition(labels, 5, options, 1, columns)).not.toEqual(partition(labels, 5, options, 2, columns));
  });

  it("refuses what cannot be split", () => {
    const labels = randomLabels(10, 3, 1);
    for (const [parties, options] of [
      [11, { kind: "iid" }],
      [6, { kind: "shards" }],
      [4, { kind: "dirichlet", minExamples: 3 }],
      [0, { kind: "iid" }],
      [["a", "a"], { kind: "iid" }],
    ] as [number | string[], PartitionOptionsInput][]) {
      expect(() => partition(labels, parties, options, 1)).toThrow(expect.objectContaining({ code: "DATA_INVALID" }));
    }
    expect(() => partition([0.5, 1, 2], 2, { kind: "dirichlet" }, 1)).toThrow(/class labels/);
    expect(() => partitionSchema.parse({ kind: "dirichlet", alpha: 0 })).toThrow(/alpha/);
    expect(() => partitionSchema.parse({ kind: "iid", alpha: 1 })).toThrow(/alpha/);
  });
});

describe("iid", () => {
  it("gives parts of equal size", () => {
    const sizes = partition(randomLabels(103, 4, 1), 10, { kind: "iid" }, 3).map((part) => part.length);
    expect(sizes.toSorted((a, b) => a - b)).toEqual([10, 10, 10, 10, 10, 10, 10, 11, 11, 11]);
  });
});

describe("shards", () => {
  it("gives each party two shards of one label where the labels divide so (McMahan et al., §3)", () => {
    const labels = Uint8Array.from({ length: 2_000 }, (_, row) => row % 10);
    const parts = partition(labels, 10, { kind: "shards" }, 7);
    for (const part of parts) {
      expect(part.length).toBe(200);
      expect(new Set(Array.from(part, (row) => labels[row])).size).toBeLessThanOrEqual(2);
    }
  });
});

describe("dirichlet", () => {
  const labels = Uint8Array.from({ length: 10_000 }, (_, row) => row % 10);
  /** Mean over parties of the largest share that one class has of a party's rows. */
  function skew(alpha: number): number {
    const parts = partition(labels, 10, { kind: "dirichlet", alpha }, 5);
    return parts.reduce((sum, part) => {
      const counts = new Float64Array(10);
      for (const row of part) counts[labels[row]!]! += 1;
      return sum + Math.max(...counts) / part.length / parts.length;
    }, 0);
  }

  it("is skewed for a small alpha and even for a large one", () => {
    expect(skew(0.05)).toBeGreaterThan(0.6);
    expect(skew(0.3)).toBeGreaterThan(0.3);
    expect(skew(1e6)).toBeLessThan(0.11);
  });

  it("moves rows to parties that no draw gave enough", () => {
    const few = labels.subarray(0, 100);
    const parts = partition(few, 50, { kind: "dirichlet", alpha: 0.01, minExamples: 2 }, 1);
    expect(parts.every((part) => part.length === 2)).toBe(true);
  });

  it("gives the split that it always gave", () => {
    expect(partition(labels, 10, { kind: "dirichlet", alpha: 0.3 }, 42).map((part) => part.length)).toEqual(GOLDEN_SIZES);
  });
});

describe("quantity-skew", () => {
  const labels = Uint8Array.from({ length: 10_000 }, (_, row) => row % 10);
  const sizes = (alpha: number): number[] => partition(labels, 10, { kind: "quantity-skew", alpha }, 5).map((part) => part.length);

  it("draws sizes that are even for a large alpha and far apart for a small one, and leaves labels even", () => {
    expect(Math.max(...sizes(1e6)) - Math.min(...sizes(1e6))).toBeLessThan(30);
    expect(Math.max(...sizes(0.1))).toBeGreaterThan(3_000);
    const parts = partition(labels, 10, { kind: "quantity-skew", alpha: 0.5 }, 5);
    const largest = parts.reduce((most, part) => (part.length > most.length ? part : most));
    const zeros = largest.filter((row) => labels[row] === 0).length;
    expect(Math.abs(zeros / largest.length - 0.1)).toBeLessThan(0.03);
  });

  it("gives each party the rows that it must have at least", () => {
    expect(partition(labels.subarray(0, 100), 50, { kind: "quantity-skew", alpha: 0.01, minExamples: 2 }, 1).every((part) => part.length === 2)).toBe(
      true,
    );
  });
});

describe("natural", () => {
  const places = ["oslo", "bern", "oslo", "rome", "bern", "oslo", "wien"];
  const labels = new Uint8Array(places.length);
  const split = (parties: readonly string[] | number, values: readonly (string | number)[] = places): number[][] =>
    partition(labels, parties, { kind: "natural", column: "place" }, 1, () => values).map((part) => [...part]);

  it("gives each party one value where there are as many, both by name", () => {
    expect(split(["d", "c", "b", "a"])).toEqual([[6], [3], [0, 2, 5], [1, 4]]);
  });

  it("keeps groups whole and parts even where there are fewer parties", () => {
    const parts = split(2);
    expect(parts.map((part) => part.length).toSorted((a, b) => a - b)).toEqual([3, 4]);
    for (const part of parts)
      for (const row of part) expect(places.flatMap((place, i) => (place === places[row] ? [i] : [])).every((i) => part.includes(i))).toBe(true);
  });

  it("refuses too few values, a row without one, and data without the column", () => {
    expect(() => split(5)).toThrow('The column "place" has 4 values, too few for 5 parties');
    expect(() => split(2, ["a", "b", "", "c", "d", "e", "f"])).toThrow('Row 3 has no value in the column "place"');
    expect(() => split(2, [1, 2, 3, NaN, 5, 6, 7])).toThrow("Row 4 has no value");
    expect(() => partition(labels, 2, { kind: "natural", column: "place" }, 1)).toThrow('no column "place"');
  });
});

describe("time", () => {
  const labels = new Uint8Array(6);
  const split = (values: readonly (string | number)[], order: "name" | "random" = "name"): number[][] =>
    partition(labels, 3, { kind: "time", column: "when", order }, 1, () => values).map((part) => [...part]);

  it("gives the first party by name the earliest rows", () => {
    expect(split([5, 1, 3, 2, 9, 0])).toEqual([
      [1, 5],
      [2, 3],
      [0, 4],
    ]);
    expect(split([7, 7, 7, 7, 7, 7])).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    expect(split(["10", "9", "-1", "2.5", "3", "8"])).toEqual([
      [2, 3],
      [4, 5],
      [0, 1],
    ]);
    const dates = ["2024-03-01", "2024-02-29T23:59:59Z", "2024-03-01T00:30+01:00", "2023-12-31 12:00", "2024-03-01T00:00:00.5Z", "1969-07-20"];
    expect(split(dates)).toEqual([
      [3, 5],
      [1, 2],
      [0, 4],
    ]);
    expect(split([5, 1, 3, 2, 9, 0], "random").toSorted((a, b) => a[0]! - b[0]!)).toEqual([
      [0, 4],
      [1, 5],
      [2, 3],
    ]);
  });

  it("refuses what is no time, naming the row", () => {
    for (const wrong of ["yesterday", "", "31.12.2024", "2024-13-01", NaN])
      expect(() => split([1, 2, wrong, 4, 5, 6])).toThrow("Row 3 has neither a number nor a date");
  });
});

const GOLDEN_SIZES = [469, 935, 705, 506, 461, 1603, 1081, 1660, 1513, 1067];
