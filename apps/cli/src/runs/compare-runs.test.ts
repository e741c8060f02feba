import { create } from "@bufbuild/protobuf";
import { RoundSchema, RunSchema } from "@ciphernx/protocol/proto";
import { describe, expect, it } from "vitest";
import { betterWay } from "./best-figure.ts";
import { compareRuns, type RunRecord } from "./compare-runs.ts";
import { flattenDocument } from "./flatten-document.ts";

interface Recorded {
  readonly spec: unknown;
  readonly plan: unknown;
  /** `[state, metrics]` of each attempt. */
  readonly rounds?: readonly (readonly [state: string, metrics: unknown])[];
  readonly initial?: string;
  readonly finishedAt?: string;
}

function recorded({ spec, plan, rounds = [], initial = "00", finishedAt = "" }: Recorded): RunRecord {
  const times = { createdAt: "2026-01-01T00:00:00.000Z", finishedAt };
  return {
    run: create(RunSchema, { specJson: JSON.stringify(spec), planJson: JSON.stringify(plan), modelHash: "ff", ...times }),
    rounds: rounds.map(([state, metrics], index) =>
      create(RoundSchema, {
        ...{ round: index + 1, state, baseModelHash: initial, metricsJson: JSON.stringify(metrics) },
        ...{ bytesUp: 10n, bytesDown: 20n, seconds: 0.5 },
      }),
    ),
  };
}

describe("documents", () => {
  it("are told leaf by leaf; things with names by their names", () => {
    const document = {
      seed: 7,
      model: { hidden: [16, 8], layers: [{ kind: "dense", units: 3 }, { kind: "relu" }] },
      parties: [{ name: "clinic-b", train: 2 }],
      nothing: null,
      empty: {},
    };
    expect([...flattenDocument(document)]).toEqual([
      ["seed", 7],
      ["model.hidden", [16, 8]],
      ["model.layers[0].kind", "dense"],
      ["model.layers[0].units", 3],
      ["model.layers[1].kind", "relu"],
      ["parties.clinic-b.train", 2],
      ["nothing", null],
      ["empty", {}],
    ]);
  });
});

describe("runs", () => {
  const plan = (changes: object) => ({ specHash: "x", planHash: "y", parties: [{ name: "a", trainExamples: 3 }], rounds: 2, ...changes });

  it("differ where their specs and plans do; a plan does not say again what its spec says", () => {
    const a = recorded({ spec: { seed: 7, rounds: 2 }, plan: plan({}), rounds: [["open", null]] });
    const b = recorded({
      spec: { seed: 7, rounds: 3, checkpoint: "c" },
      plan: plan({
        specHash: "z",
        rounds: 3,
        parties: [
          { name: "a", trainExamples: 3 },
          { name: "b", trainExamples: 1 },
        ],
      }),
      rounds: [["open", null]],
      initial: "11",
    });
    const { spec, plan: facts } = compareRuns(a, b);
    expect(spec).toEqual([
      { path: "seed", a: 7, b: 7, differs: false },
      { path: "rounds", a: 2, b: 3, differs: true },
      { path: "checkpoint", b: "c", differs: true },
    ]);
    expect(facts).toEqual([
      { path: "parties.a.trainExamples", a: 3, b: 3, differs: false },
      { path: "initialModelHash", a: "00", b: "11", differs: true },
      { path: "parties.b.trainExamples", b: 1, differs: true },
    ]);
  });

  it("have figures at the end and at their best, of committed rounds alone", () => {
    const metrics = (loss: number | null, accuracy?: number) => ({ fit: { loss }, evaluated: accuracy === undefined ? null : { accuracy } });
    const a = recorded({
      spec: {},
      plan: {},
      rounds: [
        ["committed", metrics(0.5, 0.7)],
        ["abandoned", metrics(0.01, 0.99)],
        ["committed", metrics(0.25, 0.9)],
        ["committed", metrics(0.3)],
      ],
      finishedAt: "2026-01-01T00:01:00.500Z",
    });
    const b = recorded({ spec: {}, plan: {}, rounds: [["committed", metrics(null)]] });
    const { metrics: figures, totals, sameModel } = compareRuns(a, b);
    expect(figures).toEqual([
      {
        ...{ name: "fit.loss", better: "lower" },
        ...{ final: { a: { round: 4, value: 0.3 }, b: null }, best: { a: { round: 3, value: 0.25 }, b: null } },
      },
      {
        ...{ name: "evaluated.accuracy", better: "higher" },
        ...{ final: { a: { round: 3, value: 0.9 }, b: null }, best: { a: { round: 3, value: 0.9 }, b: null } },
      },
    ]);
    expect(totals).toEqual({
      a: { rounds: 3, bytesUp: 30, bytesDown: 60, seconds: 1.5, elapsedSeconds: 60.5 },
      b: { rounds: 1, bytesUp: 10, bytesDown: 20, seconds: 0.5, elapsedSeconds: null },
    });
    expect(sameModel).toBe(true);
  });
});

it.each([
  ["fit.loss", "lower"],
  ["evaluated.log_loss", "lower"],
  ["evaluated.meanSquaredError", "lower"],
  ["evaluated.brier", "lower"],
  ["evaluated.accuracy", "higher"],
  ["evaluated.auc", "higher"],
  ["evaluated.f1", "higher"],
  ["evaluated.calibration", "lower"],
  ["evaluated.glossary", "higher"],
])("%s is better %s", (name, way) => {
  expect(betterWay(name)).toBe(way);
});
