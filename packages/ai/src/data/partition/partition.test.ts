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
  fc.record({ kind: fc.constant("dirichlet" as const), alpha: fc.constantFrom(1e-3, 0.1, 0.3, 1, 100), minExamples: fc.integer({ min: 1, max: 3 }) }),
);

const splitArbitrary = fc.record({
  options: optionsArbitrary,
  parties: fc.integer({ min: 1, max: 20 }),
  count: fc.integer({ min: 80, max: 400 }),
  classes: fc.integer({ min: 1, max: 12 }),
  seed: fc.nat(),
});

describe("every partitioner", () => {
  it("gives each row to exactly one party, ascending, and none to nobody", () => {
    fc.assert(
      fc.property(splitArbitrary, ({ options, parties, count, classes, seed }) => {
        const parts = partition(randomLabels(count, classes, seed), parties, options, seed);
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
        const parts = partition(labels, names, options, seed);
        expect(partition(Array.from(labels), parties, options, seed)).toEqual(parts);
        const mixed = randomStream(seed, "mix").shuffle([...names]);
        const again = partition(labels, mixed, options, seed);
        mixed.forEach((name, i) => expect(again[i]).toEqual(parts[names.indexOf(name)]));
      }),
      { numRuns: 50 },
    );
  });

  it.each(Object.keys(partitioners))("%s: another seed gives another split", (kind) => {
    const labels = randomLabels(500, 10, 1);
    const options = partitionSchema.parse({ kind });
    expect(partition(labels, 5, options, 1)).not.toEqual(partition(labels, 5, options, 2));
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

const GOLDEN_SIZES = [469, 935, 705, 506, 461, 1603, 1081, 1660, 1513, 1067];
