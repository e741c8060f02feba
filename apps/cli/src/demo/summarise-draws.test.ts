import { describe, expect, it } from "vitest";
import type { Draw } from "./compare-models.ts";
import { summariseDraws } from "./summarise-draws.ts";

const figures = (auc: number | undefined) => ({ ...(auc === undefined ? {} : { auc }), accuracy: 0.5, f1: 0.4, calibration: 0.1 });

function draw(own: readonly (readonly [local: number, federated: number | undefined])[]): Draw {
  return {
    modelHash: "hash",
    plan: {} as Draw["plan"],
    union: { localOnly: own.map(([local]) => figures(local)), federated: figures(0.9), pooled: figures(0.95) },
    own: own.map(([local, federated], index) => ({
      ...{ party: `h${index}`, trainExamples: 30, testExamples: 10, positives: index === 0 ? 5 : 8 },
      ...{ localOnly: figures(local), federated: figures(federated), pooled: figures(0.9) },
    })),
  };
}

describe("the summary of several draws", () => {
  const summary = summariseDraws([
    draw([
      [0.6, 0.8],
      [0.8, 0.7],
    ]),
    draw([
      [0.7, 0.8],
      [0.9, undefined],
    ]),
    draw([
      [0.8, 0.8],
      [1, 0.9],
    ]),
  ]);

  it("has mean and deviation of what the parties' models do on all rows and on their own", () => {
    expect(summary.union.auc.localOnly.mean).toBeCloseTo(0.8, 12);
    expect(summary.union.auc.localOnly.deviation).toBeCloseTo(0.1, 12);
    expect(summary.union.auc.federated).toEqual({ mean: expect.closeTo(0.9, 12) as number, deviation: expect.closeTo(0, 12) as number });
    expect(summary.union.f1.pooled.mean).toBeCloseTo(0.4, 12);
    // Of the second draw only one party tells a federated AUC.
    expect(summary.own.auc.federated.mean).toBeCloseTo((0.75 + 0.8 + 0.85) / 3, 12);
  });

  it("tells party by party who gains and who loses, and whose rows say little", () => {
    const [first, second] = summary.parties;
    expect(first).toMatchObject({ party: "h0", positives: 5, negatives: 5, unreliable: false });
    expect(first!.gain.mean).toBeCloseTo(0.1, 12);
    expect(first!.gain.deviation).toBeCloseTo(0.1, 12);
    expect(second).toMatchObject({ party: "h1", positives: 8, negatives: 2, unreliable: true });
    expect(second!.gain.mean).toBeCloseTo(-0.1, 12);
  });

  it("has no deviation of one draw", () => {
    expect(summariseDraws([draw([[0.6, 0.8]])]).own.auc.localOnly).toEqual({ mean: 0.6, deviation: 0 });
  });
});
