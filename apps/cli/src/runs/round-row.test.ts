import type { RunEvent } from "@ciphernx/ai/federation";
import { expect, it } from "vitest";
import { addToRows, type RoundRow } from "./round-row.ts";

function event(number: number, body: Pick<RunEvent, "type"> & { readonly payload: object }): RunEvent {
  return { number, at: "2026-01-01T00:00:00.000Z", ...body } as RunEvent;
}

const committed = (round: number) =>
  event(round, {
    type: "round-committed",
    payload: { round, rounds: 2, attempt: 1, accepted: 3, missed: [], fit: { loss: round }, evaluated: null, saturated: 0, modelHash: "ab" },
  });

it("has a round's held-out figures in its row when they become known with the next round", () => {
  const rows = new Map<number, RoundRow>();
  const judged = event(9, { type: "round-judged", payload: { round: 1, rounds: 2, evaluated: { accuracy: 0.5 }, modelHash: "ab" } });
  expect(addToRows(rows, judged)).toBe(false);
  expect([committed(1), committed(2), judged].map((one) => addToRows(rows, one))).toEqual([true, true, true]);
  expect([...rows].map(([round, { figures }]) => ({ round, ...figures }))).toEqual([
    { round: 1, "fit.loss": 1, "evaluated.accuracy": 0.5 },
    { round: 2, "fit.loss": 2 },
  ]);
  expect(addToRows(rows, event(10, { type: "run-resumed", payload: { round: 2 } }))).toBe(false);
});
