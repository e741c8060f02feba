import { expect, it } from "vitest";
import { formatEvent } from "./events.ts";
import { explainTrouble } from "./trouble.ts";

const PLAIN = (text: string) => text;
const COLOURS = { bold: PLAIN, dim: PLAIN, green: PLAIN, red: PLAIN, yellow: PLAIN, cyan: PLAIN };

it("says nothing of a round that goes well", () => {
  expect(explainTrouble({ training: { loss: 0.5 }, heldOut: undefined, saturated: 0 })).toBeUndefined();
  expect(explainTrouble({ training: {}, heldOut: { auc: null }, saturated: 0 })).toBeUndefined();
});

it.each([
  ["training", { training: { loss: null }, heldOut: undefined, saturated: 0 }],
  ["held-out rows", { training: { loss: 1 }, heldOut: { loss: Infinity }, saturated: 0 }],
])("explains a loss that is no number on %s", (_where, signs) => {
  const text = explainTrouble(signs);
  expect(text).toContain("the loss is not a finite number");
  expect(text).toContain("`train.optimiser.learningRate`");
  expect(text).not.toContain("encoding.range");
});

it("explains values that were clipped", () => {
  expect(explainTrouble({ training: { loss: 1 }, heldOut: undefined, saturated: 3 })).toMatch(
    /3 values .* beyond `encoding\.range` .* raise `encoding\.range`/,
  );
});

it("a round's line says on which rows its figures were measured, and never mixes them", () => {
  const round = {
    round: 1,
    rounds: 2,
    accepted: 3,
    missed: [],
    fit: { loss: 0.5, accuracy: 0.25 },
    bytesUp: 1,
    bytesDown: 1,
    seconds: 1,
    saturated: 0,
  };
  const line = (evaluated: unknown, saturated = 0) => formatEvent({ type: "round-committed", payload: { ...round, evaluated, saturated } }, COLOURS);
  expect(line(null)).toContain("training: loss 0.5000  accuracy 25.00%");
  expect(line({ loss: 0.75 })).toContain("held out: loss 0.7500  up");
  expect(line({ loss: 0.75 })).not.toContain("accuracy");
  expect(line(null, 2)).toMatch(/2 values clipped\n {2}Training may be diverging/);
  const judged = (evaluated: unknown) => formatEvent({ type: "round-judged", payload: { round: 9, rounds: 20, evaluated, modelHash: "" } }, COLOURS);
  expect(judged({ loss: 0.75, accuracy: 0.5 })).toBe("round  9/20  held out: loss 0.7500  accuracy 50.00%");
  expect(judged({ loss: null })).toContain("Training may be diverging: the loss is not a finite number");
});
