import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contradiction, decodeExtras, encodeExtras, metricSteps } from "./extras.ts";
import { vectorLayout } from "./encoding.ts";

const layoutOf = (bits: number, metricNames: readonly string[] = ["loss", "correct"]) => vectorLayout(0, metricNames, { bits });

describe("metric steps", () => {
  it("are steps of 2^−20, half to even", () => {
    const step = 2 ** -20;
    expect([1, -1, 0.5 * step, 1.5 * step, 2.5 * step, -0.5 * step, -1.5 * step, -2.5 * step, 2.4 * step].map((sum) => metricSteps(sum) + 0)).toEqual(
      [1_048_576, -1_048_576, 0, 2, 2, 0, -2, -2, 2],
    );
  });
});

describe("limbs", () => {
  it("are what one works out by hand", () => {
    // 8 bits: limbs of 7 bits, 8 of them. 300 = 2·128 + 44; −1.5·2^20 = −1572864 = −(96·2^14); 129 = 1·128 + 1.
    const limbs = encodeExtras({ weight: 300, metrics: { loss: -1.5 }, saturated: 129 }, layoutOf(8, ["loss"]));
    expect([...limbs]).toEqual([44, 2, 0, 0, 0, 0, 0, 0, 0, 0, -96, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0]);
  });

  it.each([8, 9, 12, 15, 16, 17, 24, 32])("of many parties add up to the sums of the values, exactly, at %i bits", (bits) => {
    const layout = layoutOf(bits);
    const sum = fc.double({ min: -(2 ** 31), max: 2 ** 31, noNaN: true });
    const party = fc.record({ weight: fc.integer({ min: 0, max: 2 ** 32 - 1 }), loss: sum, correct: sum, saturated: fc.nat(1e9) });
    fc.assert(
      fc.property(fc.array(party, { minLength: 1, maxLength: 40 }), (parties) => {
        const total = new BigInt64Array(layout.extras);
        for (const { weight, loss, correct, saturated } of parties) {
          const limbs = encodeExtras({ weight, metrics: { correct, loss }, saturated }, layout);
          for (const [index, limb] of limbs.entries()) {
            expect(Math.abs(limb)).toBeLessThanOrEqual(2 ** Math.min(bits - 1, 15) - 1);
            total[index] = total[index]! + BigInt(limb);
          }
        }
        const exactly = (name: "loss" | "correct") =>
          Number(parties.reduce((steps, values) => steps + BigInt(metricSteps(values[name])), 0n)) / 2 ** 20;
        expect(decodeExtras(total, layout)).toEqual({
          weight: parties.reduce((weights, { weight }) => weights + weight, 0),
          metrics: { loss: exactly("loss"), correct: exactly("correct") },
          saturated: parties.reduce((counts, { saturated }) => counts + saturated, 0),
        });
      }),
      { numRuns: 20 },
    );
  });

  it("of one vector are read from its own type", () => {
    const layout = layoutOf(8);
    const extras = { weight: 61_234, metrics: { loss: 123.5, correct: 17 }, saturated: 3 };
    expect(decodeExtras(Int8Array.from(encodeExtras(extras, layout)), layout)).toEqual(extras);
  });
});

describe("extras that cannot be encoded", () => {
  const good = { weight: 1, metrics: { loss: 1, correct: 1 }, saturated: 0 };
  it.each([
    ["a fractional weight", { ...good, weight: 1.5 }, "weight 1.5"],
    ["a missing metric", { ...good, metrics: { loss: 1 } }, '"correct" of the run is missing'],
    ["a metric of Object's prototype", { ...good, metrics: { ...good.metrics, toString: 1 } }, '"toString" is not one of the run\'s: loss, correct'],
    ["NaN", { ...good, metrics: { loss: NaN, correct: 1 } }, '"loss" is NaN'],
    ["infinity", { ...good, metrics: { loss: 1, correct: -Infinity } }, '"correct" is -Infinity'],
    ["a sum of 2^32", { ...good, metrics: { loss: 2 ** 32, correct: 1 } }, "below 2^32"],
  ])("are refused: %s", (_name, extras, reason) => {
    expect(() => encodeExtras(extras, layoutOf(16))).toThrow(
      expect.objectContaining({ code: "UPDATE_REJECTED", message: expect.stringContaining(reason) as string }),
    );
  });
});

describe("contradiction", () => {
  const layout = layoutOf(12);
  const report = { weight: 7, metrics: { loss: 1 / 3, correct: 5 } };
  const extras = decodeExtras(Int16Array.from(encodeExtras({ ...report, saturated: 0 }, layout)), layout);
  it("is none when vector and report say the same, up to a step", () => {
    expect(contradiction(extras, report)).toBeUndefined();
  });
  it.each([
    [{ ...report, weight: 8 }, "weight 7, the report 8"],
    [{ ...report, metrics: { ...report.metrics, loss: 0.3 } }, 'for the metric "loss", the report 0.3'],
    [{ ...report, metrics: { loss: 1 / 3 } }, 'Only the vector has the metric "correct"'],
    [{ ...report, metrics: { ...report.metrics, more: 1 } }, 'Only the report has the metric "more"'],
  ])("is named: %o", (other, reason) => {
    expect(contradiction(extras, other)).toContain(reason);
  });
});
