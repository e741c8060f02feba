import { expect, it } from "vitest";
import type { FigureName } from "./compare-models.ts";
import { describeDraws } from "./describe-draws.ts";
import type { ByWay, DrawsSummary } from "./summarise-draws.ts";

function byWay(localOnly: number, federated: number): ByWay {
  const spread = (mean: number) => ({ mean, deviation: 0.01 });
  return { localOnly: spread(localOnly), federated: spread(federated), pooled: spread(0.5) };
}

function figures(means: Readonly<Record<FigureName, readonly [alone: number, federated: number]>>): DrawsSummary["own"] {
  return Object.fromEntries(Object.entries(means).map(([name, [alone, federated]]) => [name, byWay(alone, federated)])) as DrawsSummary["own"];
}

const SUMMARY: DrawsSummary = {
  union: figures({ auc: [0.8, 0.9], accuracy: [0.7, 0.8], f1: [0.7, 0.8], calibration: [0.13, 0.05] }),
  own: figures({ auc: [0.8, 0.82], accuracy: [0.85, 0.838], f1: [0.85, 0.8499], calibration: [0.07, 0.083] }),
  parties: [
    {
      ...{ party: "zurich", trainExamples: 92, testExamples: 31, positives: 29, negatives: 2, unreliable: true },
      ...{ ...byWay(0.7, 0.68), gain: { mean: -0.02, deviation: 0.01 } },
    },
  ],
};

it("tells every figure on all patients and on own ones, and says where a hospital is better off alone", () => {
  expect(describeDraws(SUMMARY, 3, (text) => text).join("\n")).toMatchInlineSnapshot(`
    "all hospitals' held-out patients, mean ± deviation over 3 draws
                               alone      federated         pooled  federated is
    AUC                0.800 ± 0.010  0.900 ± 0.010  0.500 ± 0.010  0.100 better
    accuracy           0.700 ± 0.010  0.800 ± 0.010  0.500 ± 0.010  0.100 better
    F1                 0.700 ± 0.010  0.800 ± 0.010  0.500 ± 0.010  0.100 better
    calibration error  0.130 ± 0.010  0.050 ± 0.010  0.500 ± 0.010  0.080 better

    a hospital's own held-out patients, mean of the hospitals: what taking part gives it and costs it
                               alone      federated         pooled  federated is
    AUC                0.800 ± 0.010  0.820 ± 0.010  0.500 ± 0.010  0.020 better
    accuracy           0.850 ± 0.010  0.838 ± 0.010  0.500 ± 0.010   0.012 worse
    F1                 0.850 ± 0.010  0.850 ± 0.010  0.500 ± 0.010      the same
    calibration error  0.070 ± 0.010  0.083 ± 0.010  0.500 ± 0.010   0.013 worse

    AUC on each hospital's own patients: who gains, who loses
    hospital  learnt from  held out  ill  well          alone      federated         pooled    gain
    zurich             92        31   29     2  0.700 ± 0.010  0.680 ± 0.010  0.500 ± 0.010  −0.020  unreliable: 2 of one class"
  `);
});
