import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomStream } from "../random/index.ts";
import { descriptorSchema } from "./descriptor.ts";
import type { TensorSchema } from "./dataset-schema.ts";
import type { Examples } from "./examples.ts";
import { holdOutRows } from "./hold-out.ts";

const schema: TensorSchema = { kind: "tensor", shape: [1], element: "f32", scale: 1, task: "classification", classes: 5 };

/** Rows whose feature is their number. */
function rowsOf(targets: readonly number[]): Examples {
  return {
    features: Float32Array.from(targets, (_, row) => row),
    featureLength: 1,
    targets: Uint8Array.from(targets),
    count: targets.length,
  };
}

function counts(targets: Iterable<number>): Record<number, number> {
  const found: Record<number, number> = {};
  for (const target of targets) found[target] = (found[target] ?? 0) + 1;
  return found;
}

const some = fc.array(fc.nat(4), { minLength: 2, maxLength: 60 });
const holdOut = fc.record({ fraction: fc.double({ min: 0.01, max: 0.99, noNaN: true }), seed: fc.nat(1_000), stratify: fc.boolean() });

describe("holdOutRows", () => {
  it("cuts the rows in two, each in their order, and does so again", () => {
    fc.assert(
      fc.property(some, holdOut, (targets, options) => {
        fc.pre(options.stratify ? Object.values(counts(targets)).some((count) => count > 1) : targets.length * options.fraction < targets.length - 1);
        const all = rowsOf(targets);
        const { train, test, trainRows } = holdOutRows(schema, all, options);
        expect([...train.features]).toEqual([...trainRows]);
        expect([...train.features, ...test.features].toSorted((a, b) => a - b)).toEqual([...all.features]);
        for (const part of [train, test]) {
          expect([...part.features]).toEqual([...part.features].toSorted((a, b) => a - b));
          expect([...part.targets]).toEqual(Array.from(part.features, (row) => targets[row]));
          expect(part.count).toBeGreaterThan(0);
        }
        expect(holdOutRows(schema, all, options)).toEqual({ train, test, trainRows });
      }),
    );
  });

  it("holds the same share of each class out, where it stratifies", () => {
    fc.assert(
      fc.property(some, holdOut, (targets, options) => {
        const all = counts(targets);
        fc.pre(Object.values(all).some((count) => count > 1));
        const held = counts(holdOutRows(schema, rowsOf(targets), { ...options, stratify: true }).test.targets);
        for (const [target, count] of Object.entries(all)) {
          const found = held[Number(target)] ?? 0;
          if (count === 1) expect(found).toBe(0);
          else {
            expect(found).toBeGreaterThanOrEqual(1);
            expect(found).toBeLessThan(count);
            expect(Math.abs(found - count * options.fraction)).toBeLessThanOrEqual(1);
          }
        }
      }),
    );
  });

  it("counts as four hospitals' patients come out, the rarest class with at least one", () => {
    const held = (negative: number, positive: number): number[] => {
      const targets = [...Array.from({ length: negative }, () => 0), ...Array.from({ length: positive }, () => 1)];
      const { test } = holdOutRows(schema, rowsOf(targets), { fraction: 0.25, seed: 3, stratify: true });
      return [test.targets.filter((target) => target === 0).length, test.targets.filter((target) => target === 1).length];
    };
    // Cleveland, Hungary, Switzerland, Long Beach: 164/139, 188/106, 8/115, 51/149.
    expect([held(164, 139), held(188, 106), held(8, 115), held(51, 149)]).toEqual([
      [41, 35],
      [47, 27],
      [2, 29],
      [13, 37],
    ]);
  });

  it("differs by seed", () => {
    const all = rowsOf(Array.from({ length: 40 }, (_, row) => row % 2));
    const draw = (seed: number): string => holdOutRows(schema, all, { fraction: 0.5, seed, stratify: true }).trainRows.join();
    expect(new Set([0, 1, 2, 3].map(draw)).size).toBe(4);
  });

  it("draws without strata what it drew before there were any", () => {
    const all = rowsOf(Array.from({ length: 10 }, (_, row) => row % 2));
    const order = randomStream(7, "dataset", "hold-out").shuffle(Uint32Array.from({ length: 10 }, (_, row) => row));
    expect([...holdOutRows(schema, all, { fraction: 0.35, seed: 7 }).test.features]).toEqual([...order.slice(0, 3).toSorted()]);
  });

  it("refuses rows of which none can be held out", () => {
    expect(() => holdOutRows(schema, rowsOf([1]), { fraction: 0.5, seed: 0 })).toThrow("Of 1 row none can be held out");
    expect(() => holdOutRows(schema, rowsOf([0, 1, 2]), { fraction: 0.5, seed: 0, stratify: true })).toThrow(
      expect.objectContaining({ code: "DATA_INVALID", message: expect.stringContaining("Of 3 rows none can be held out") as string }),
    );
  });

  it("is asked for in a descriptor, of a classification only", () => {
    const descriptor = { formatVersion: 1, name: "heart", schema, files: { format: "npy", train: { features: "x", targets: "y" } } };
    expect(descriptorSchema.parse({ ...descriptor, holdOut: {} }).holdOut).toEqual({ fraction: 0.2, seed: 0 });
    expect(descriptorSchema.parse({ ...descriptor, holdOut: { stratify: true } }).holdOut).toEqual({ fraction: 0.2, seed: 0, stratify: true });
    const regression = { ...schema, task: "regression", classes: undefined };
    const refused = descriptorSchema.safeParse({ ...descriptor, schema: regression, holdOut: { stratify: true } });
    expect(refused.error?.issues.map(({ path }) => path.join("."))).toEqual(["holdOut.stratify"]);
  });
});
