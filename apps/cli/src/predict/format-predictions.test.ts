import { describe, expect, it } from "vitest";
import { formatPredictions, namedPredictions, type Predictions } from "./format-predictions.ts";

const classes = ["no", 'a "yes", perhaps'];
const judged: Predictions = {
  ids: new Map([["patient", ["A,1", "B"]]]),
  classes,
  predictions: [
    { kind: "class", label: classes[1]!, probabilities: [Math.fround(0.1), Math.fround(0.9)] },
    { kind: "class", label: "no", probabilities: [1, 0] },
  ],
};
const regression: Predictions = {
  ids: new Map(),
  classes: [],
  predictions: [
    { kind: "number", value: Math.fround(1 / 3) },
    { kind: "number", value: -2.5e-20 },
  ],
};

describe("predictions", () => {
  it("as CSV name their rows and quote what needs it", () => {
    expect(formatPredictions(judged, "csv")).toBe(
      'patient,prediction,probability no,"probability a ""yes"", perhaps"\n"A,1","a ""yes"", perhaps",0.1,0.9\nB,no,1,0\n',
    );
  });

  it("as JSONL are one object a row", () => {
    const lines = formatPredictions(judged, "jsonl")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
    expect(lines).toEqual([
      { id: { patient: "A,1" }, prediction: classes[1], probabilities: { no: 0.1, [classes[1]!]: 0.9 } },
      { id: { patient: "B" }, prediction: "no", probabilities: { no: 1, [classes[1]!]: 0 } },
    ]);
  });

  it("for programs name their rows", () => {
    expect(namedPredictions(judged)).toMatchObject([{ id: { patient: "A,1" }, label: classes[1] }, { id: { patient: "B" } }]);
    expect(namedPredictions(regression)).toMatchObject([{ row: 1, kind: "number" }, { row: 2 }]);
  });

  it("number rows that nothing names, and write numbers so that they read back as the same f32", () => {
    const [header, first, second] = formatPredictions(regression, "csv").trimEnd().split("\n");
    expect(header).toBe("row,prediction");
    expect(first).toBe("1,0.33333334");
    expect(Math.fround(Number(first!.split(",")[1]))).toBe(Math.fround(1 / 3));
    expect(Math.fround(Number(second!.split(",")[1]))).toBe(Math.fround(-2.5e-20));
  });
});
