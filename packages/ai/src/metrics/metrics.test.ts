import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RowSchema } from "../data/index.ts";
import { contradictoryMetric, createTally, evaluateMetrics, metricSubjects, metricSumNames, metricValues } from "./index.ts";

const TWO = { classes: 2 };
const THREE = { classes: 3 };
const NAMES = ["auc", "f1", "calibration"];

/** P(score of a positive > score of a negative) + ½ P(equal), pair by pair: U/(P·N) of Mann and Whitney. */
function rankStatistic(scores: readonly number[], labels: readonly number[]): number | undefined {
  const [negative, positive] = [0, 1].map((label) => scores.filter((_, row) => labels[row] === label)) as [number[], number[]];
  if (positive.length === 0 || negative.length === 0) return undefined;
  let sum = 0;
  for (const p of positive) for (const n of negative) sum += p > n ? 1 : p === n ? 0.5 : 0;
  return sum / (positive.length * negative.length);
}

const labelled = <T>(score: fc.Arbitrary<T>) => fc.array(fc.tuple(score, fc.constantFrom(0, 1)), { minLength: 1, maxLength: 60 });
const probability = fc.double({ min: 0, max: 1, noNaN: true });
/** Probabilities of three classes, and a label. */
const judged = fc.tuple(fc.tuple(probability, probability, probability), fc.constantFrom(0, 1, 2)).map(([weights, label]) => {
  const total = weights[0] + weights[1] + weights[2] || 1;
  return { outputs: weights.map((weight) => weight / total), label };
});

it("says of which classes figures are: the second of two by its name, more by their number", () => {
  const categories = ["well", "ill"];
  const table: RowSchema = { kind: "table", task: "classification", columns: [{ name: "state", role: "label", type: "category", categories }] };
  const tensor: RowSchema = { kind: "tensor", shape: [2], element: "f32", scale: 1, task: "classification", classes: 2 };
  expect(metricSubjects(NAMES, table, TWO)).toEqual({ auc: 'class "ill"', f1: 'class "ill"' });
  expect(metricSubjects(NAMES, tensor, TWO)).toEqual({ auc: "class 1", f1: "class 1" });
  expect(metricSubjects(["f1", "calibration"], { ...tensor, classes: 3 }, THREE)).toEqual({ f1: "3 classes, their mean" });
  expect(metricSubjects([], table, TWO)).toEqual({});
  expect(metricSubjects([], table, { classes: undefined })).toEqual({});
});

describe("auc", () => {
  it("is the rank statistic of Mann and Whitney where scores lie in the middle of their bins", () => {
    fc.assert(
      fc.property(labelled(fc.integer({ min: 0, max: 255 }).map((bin) => (bin + 0.5) / 256)), (rows) => {
        const [scores, labels] = [rows.map(([score]) => score), rows.map(([, label]) => label)];
        const wanted = rankStatistic(scores, labels);
        const { auc } = evaluateMetrics(["auc"], scores, labels, TWO);
        if (wanted === undefined) expect(auc).toBeUndefined();
        else expect(auc).toBeCloseTo(wanted, 12);
      }),
    );
  });

  it("differs from it otherwise by at most half the share of pairs in one bin", () => {
    fc.assert(
      fc.property(labelled(fc.oneof(probability, fc.double({ min: 0.5, max: 0.51, noNaN: true }))), (rows) => {
        const [scores, labels] = [rows.map(([score]) => score), rows.map(([, label]) => label)];
        const wanted = rankStatistic(scores, labels);
        if (wanted === undefined) return;
        const bins = scores.map((score) => Math.min(255, Math.floor(score * 256)));
        const positives = bins.filter((_, row) => labels[row] === 1);
        const negatives = bins.filter((_, row) => labels[row] === 0);
        const together = positives.reduce((sum, bin) => sum + negatives.filter((other) => other === bin).length, 0);
        const bound = together / (2 * positives.length * negatives.length);
        const { auc } = evaluateMetrics(["auc"], scores, labels, TWO);
        expect(Math.abs(auc! - wanted)).toBeLessThanOrEqual(bound + 1e-12);
      }),
    );
  });

  it("is 1 for a perfect order, 0 for its reverse, ½ for one score for all, and nothing for one class", () => {
    const auc = (scores: readonly number[], labels: readonly number[]) => evaluateMetrics(["auc"], scores, labels, TWO);
    expect(auc([0, 0.2, 0.8, 1], [0, 0, 1, 1])).toEqual({ auc: 1 });
    expect(auc([0, 0.2, 0.8, 1], [1, 1, 0, 0])).toEqual({ auc: 0 });
    expect(auc([0.3, 0.3, 0.3], [1, 0, 0])).toEqual({ auc: 0.5 });
    // 3 of 4 pairs are in order, one is a tie.
    expect(auc([0.1, 0.6, 0.6, 0.9], [0, 0, 1, 1])).toEqual({ auc: 0.875 });
    expect(auc([0.1, 0.6], [1, 1])).toEqual({});
    expect(auc([], [])).toEqual({});
  });

  it("takes the second of two columns of probabilities for the score", () => {
    expect(evaluateMetrics(["auc", "f1"], [0.9, 0.1, 0.4, 0.6, 0.7, 0.3], [0, 1, 0], TWO)).toEqual({ auc: 1, f1: 1 });
  });
});

describe("f1", () => {
  it("of two classes is that of the second, as one works it out by hand", () => {
    // tp 2 (0.9, 0.8), fp 1 (0.7), fn 1 (0.4), and ½ is not the likelier of the two: 2·2 / (2·2 + 1 + 1).
    const scores = [0.9, 0.8, 0.7, 0.4, 0.1, 0.5];
    const labels = [1, 1, 0, 1, 0, 0];
    expect(evaluateMetrics(["f1"], scores, labels, TWO)).toEqual({ f1: 4 / 6 });
    const pairs = scores.flatMap((score) => [1 - score, score]);
    expect(evaluateMetrics(["f1"], pairs, labels, TWO)).toEqual({ f1: 4 / 6 });
    expect(evaluateMetrics(["f1"], [0.9], [0], TWO)).toEqual({ f1: 0 });
    // Nothing is of the second class, and nothing was taken for it.
    expect(evaluateMetrics(["f1"], [0.1], [0], TWO)).toEqual({});
  });

  it("of more classes is the mean over those that occur", () => {
    // Labels against likeliest classes:   0→0, 0→1, 1→1, 1→1, 1→2 ; no row is of class 2.
    const outputs = [
      [0.6, 0.3, 0.1],
      [0.2, 0.5, 0.3],
      [0.1, 0.8, 0.1],
      [0.2, 0.7, 0.1],
      [0.1, 0.4, 0.5],
    ].flat();
    // Class 0: tp 1, fp 0, fn 1 → 2/3. Class 1: tp 2, fp 1, fn 1 → 4/6.
    const { f1 } = evaluateMetrics(["f1"], outputs, [0, 0, 1, 1, 1], THREE);
    expect(f1).toBeCloseTo((2 / 3 + 4 / 6) / 2, 15);
  });

  it("agrees with a table of all labels against all likeliest classes", () => {
    fc.assert(
      fc.property(fc.array(judged, { minLength: 1, maxLength: 40 }), (rows) => {
        const table = [0, 1, 2].map(() => [0, 0, 0]);
        for (const { outputs, label } of rows) table[label]![outputs.indexOf(Math.max(...outputs))]! += 1;
        const scores = [0, 1, 2].flatMap((index) => {
          const found = table[index]![index]!;
          const actual = table[index]!.reduce((sum, count) => sum + count, 0);
          const taken = table.reduce((sum, row) => sum + row[index]!, 0);
          if (actual === 0) return [];
          if (found === 0) return [0];
          const [precision, recall] = [found / taken, found / actual];
          return [(2 * precision * recall) / (precision + recall)];
        });
        const { f1 } = evaluateMetrics(
          ["f1"],
          rows.flatMap(({ outputs }) => outputs),
          rows.map(({ label }) => label),
          THREE,
        );
        expect(f1).toBeCloseTo(scores.reduce((sum, score) => sum + score, 0) / scores.length, 12);
      }),
    );
  });
});

describe("calibration", () => {
  it("is the mean gap between confidence and share, weighted by the rows of each bin", () => {
    // Bin (0.7, 0.8]: confidences 0.75, 0.8, 0.75 (as 1 − 0.25), 2 of 3 right. Bin (0.9, 1]: 1 and 0.95, 1 of 2 right.
    const scores = [0.75, 0.8, 0.25, 1, 0.95];
    const labels = [1, 0, 0, 1, 0];
    const wanted = (3 / 5) * Math.abs(2 / 3 - 2.3 / 3) + (2 / 5) * Math.abs(1 / 2 - 1.95 / 2);
    expect(evaluateMetrics(["calibration"], scores, labels, TWO)["calibration"]).toBeCloseTo(wanted, 12);
  });

  it("is 0 where each bin is right as often as it says, and puts a bin's upper end into it", () => {
    expect(evaluateMetrics(["calibration"], [0.75, 0.75, 0.75, 0.75], [1, 1, 1, 0], TWO)).toEqual({ calibration: 0 });
    const tally = createTally(["calibration"], TWO);
    tally.add([0.5, 0.625, 1], [0, 1, 1]);
    expect(tally.sums()).toMatchObject({ "calibration.count.4": 1, "calibration.count.6": 1, "calibration.count.9": 1 });
  });

  it("of more classes looks at the likeliest", () => {
    expect(evaluateMetrics(["calibration"], [0.25, 0.5, 0.25, 0.25, 0.5, 0.25], [1, 0], THREE)).toEqual({ calibration: 0 });
  });
});

describe("sums", () => {
  it("of parties, added up, give the figures of all rows together; batches change no bit", () => {
    const split = fc.tuple(fc.array(judged, { minLength: 1, maxLength: 60 }), fc.integer({ min: 0, max: 60 }));
    fc.assert(
      fc.property(split, fc.constantFrom(TWO, THREE), ([rows, cut], task) => {
        const names = NAMES.filter((name) => name !== "auc" || task === TWO);
        const labels = rows.map(({ label }) => label % task.classes);
        const tallyOf = (from: number, to: number) => {
          const tally = createTally(names, task);
          for (let row = from; row < Math.min(to, rows.length); row += 1) tally.add(rows[row]!.outputs, [labels[row]!]);
          return tally;
        };
        const whole = createTally(names, task);
        whole.add(
          rows.flatMap(({ outputs }) => outputs),
          labels,
        );
        expect(tallyOf(0, rows.length).sums()).toEqual(whole.sums());
        const [one, other] = [tallyOf(0, cut), tallyOf(cut, rows.length)];
        const [sums, others] = [one.sums(), other.sums()];
        const added = Object.fromEntries(metricSumNames(names, task).map((name) => [name, sums[name]! + others[name]!]));
        const found = metricValues(names, added, one.weight + other.weight, task);
        const wanted = metricValues(names, whole.sums(), rows.length, task);
        expect(Object.keys(found)).toEqual(Object.keys(wanted));
        for (const [name, value] of Object.entries(wanted)) expect(found[name]).toBeCloseTo(value, 12);
        for (const tally of [one, other, whole]) expect(contradictoryMetric(names, tally.sums(), tally.weight, task)).toBeUndefined();
      }),
      { numRuns: 40 },
    );
  });

  it("that no rows give are told apart", () => {
    const tally = createTally(NAMES, TWO);
    tally.add([0.75, 0.25, 0.9], [1, 0, 0]);
    const problem = (changes: Readonly<Record<string, number>>, weight = 3) =>
      contradictoryMetric(NAMES, { ...tally.sums(), ...changes }, weight, TWO);
    expect(problem({})).toBeUndefined();
    expect(problem({}, 4)).toContain("histograms of scores count 3 rows; its weight is 4");
    expect(problem({ "auc.1.192": -1, "auc.1.0": 2 })).toContain('"auc.1.192" is -1, no count');
    expect(problem({ "auc.0.7": 0.5 })).toContain('"auc.0.7" is 0.5');
    expect(problem({ "auc.0.7": Number.NaN })).toContain('"auc.0.7" is NaN');
    expect(problem({ "f1.tp.1": 9 })).toContain("counts for f1 are of 10 rows; its weight is 3");
    expect(problem({ "calibration.count.8": 7 })).toContain("count 9 rows; its weight is 3");
    expect(problem({ "calibration.correct.7": 3 })).toContain("Of 2 rows with confidences in bin 7, it says that 3 are right");
    expect(problem({ "calibration.confidence.7": 1.39 })).toContain("add up to 1.39, which they cannot");
    const { "f1.fn.1": _, ...without } = tally.sums();
    expect(contradictoryMetric(NAMES, without, 3, TWO)).toContain('"f1.fn.1" is missing');

    const three = createTally(["f1"], THREE);
    three.add([0.6, 0.3, 0.1, 0.2, 0.5, 0.3], [0, 2]);
    expect(contradictoryMetric(["f1"], three.sums(), 2, THREE)).toBeUndefined();
    expect(contradictoryMetric(["f1"], { ...three.sums(), "f1.fn.2": 0 }, 2, THREE)).toContain("its weight is 2");
    expect(contradictoryMetric(["f1"], { ...three.sums(), "f1.fp.2": 2 }, 2, THREE)).toContain("are of 4 rows");
  });

  it("are of probabilities, labels that there are, and metrics that say something about them", () => {
    const add = (outputs: readonly number[], targets: readonly number[], task = TWO) => createTally(["f1"], task).add(outputs, targets);
    expect(() => add([0.5, Number.NaN], [0, 1])).toThrow(
      expect.objectContaining({ code: "TRAINER_FAILED", message: expect.stringContaining("NaN for example 1") as string }),
    );
    expect(() => add([0.5, -2], [0, 1])).toThrow(expect.objectContaining({ code: "TRAINER_FAILED" }));
    expect(() => add([0.5, 0.5], [0, 2])).toThrow(
      expect.objectContaining({ code: "USAGE", message: expect.stringContaining("label of example 1 is 2") as string }),
    );
    expect(() => add([0.5, 0.5, 0.5], [0, 1])).toThrow(expect.objectContaining({ code: "USAGE" }));
    expect(() => add([0.5, 0.5], [0, 1], THREE)).toThrow(expect.objectContaining({ code: "USAGE" }));
    expect(() => evaluateMetrics(["auc"], [0.5], [0], THREE)).toThrow(/there are 3 classes/);
    expect(() => evaluateMetrics(["f2"], [0.5], [0], TWO)).toThrow(/no metric "f2"; there are auc, f1, calibration/);
  });
});
