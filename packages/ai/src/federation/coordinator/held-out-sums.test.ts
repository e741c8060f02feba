import { beforeAll, describe, expect, it } from "vitest";
import { type AggregationKernel, decodeExtras, encodeUpdateFile, loadAggregationKernel } from "../../aggregation/index.ts";
import type { DatasetSchema } from "../../data/index.ts";
import { createTally, evaluateMetrics } from "../../metrics/index.ts";
import { compileOrThrow, parseRunSpec, type RunPlan, type RunSpec, type RunSpecInput } from "../../spec/index.ts";
import type { EvaluateOutcome, TrainingTask } from "../../training/index.ts";
import { encode } from "../node/encode.ts";
import { evaluate } from "../node/evaluate.ts";
import { evaluationTotals } from "../round/phase-totals.ts";
import { taskFileSizeBytes, uploadLayout } from "../round/upload-layout.ts";
import { checkUpdateFile } from "./check-update.ts";

const ROWS: DatasetSchema = { kind: "tensor", shape: [4], element: "f32", scale: 1, task: "classification", classes: 2 };
const NAMES = ["auc", "f1", "calibration"];
const SCORES = [0.9, 0.2, 0.6, 0.6, 0.35, 1];
const LABELS = [1, 0, 1, 0, 0, 1];

let kernel: AggregationKernel;
beforeAll(async () => {
  kernel = await loadAggregationKernel();
});

function planned(encoding: RunSpecInput["encoding"]): { readonly spec: RunSpec; readonly plan: RunPlan } {
  const spec = parseRunSpec({
    version: 1,
    name: "small",
    seed: 1,
    data: { dataset: "rows" },
    model: { kind: "logistic" },
    train: { optimiser: { kind: "sgd", learningRate: 0.1 } },
    evaluate: { metrics: ["loss", "correct", ...NAMES] },
    protection: { kind: "none" },
    rounds: 1,
    encoding,
  });
  const dataset = { schema: ROWS, trainExamples: 10, testExamples: 6, contentHash: "0".repeat(64) };
  return { spec, plan: compileOrThrow(spec, { kernelBuild: "build", parties: [{ name: "ash", kernelBuild: "build", dataset }] }) };
}

/** What an honest party says of its rows. */
function judged(): Required<EvaluateOutcome> {
  const tally = createTally(NAMES, { classes: 2 });
  tally.add(SCORES, LABELS);
  return { weight: 6, metrics: { loss: 2.5, correct: 5 }, heldOutSums: tally.sums() };
}

describe.each([8, 12, 32])("sums that only an evaluation carries, in coordinates of %i bits", (bits) => {
  const { spec, plan } = planned({ bits });

  /** Uploads an evaluation, and the report that goes with it; resolves when the coordinator takes it. */
  async function send(outcome: Required<EvaluateOutcome>, report: Pick<EvaluateOutcome, "weight" | "metrics"> = outcome): Promise<void> {
    const vector = encode(kernel, { spec, plan, party: "ash", round: 1 }, "evaluate", { ...outcome, delta: new Float32Array() });
    const file = encodeUpdateFile(vector);
    expect(file).toHaveLength(taskFileSizeBytes(plan, "evaluate"));
    const staged = {
      read: (offset: number, length: number, into = new Uint8Array(length)) => {
        into.set(file.subarray(offset, offset + length));
        return Promise.resolve(into);
      },
    };
    return checkUpdateFile(kernel, staged, file.length, { party: "ash", kind: "evaluate", plan }, report);
  }

  it("are taken beside a report that names the means alone", async () => {
    await send(judged());
    await send({ ...judged(), weight: 0, metrics: { loss: 0, correct: 0 }, heldOutSums: createTally(NAMES, { classes: 2 }).sums() });
    const { metrics, heldOutSums } = judged();
    await expect(send(judged(), { weight: 6, metrics: { ...metrics, ...heldOutSums } })).rejects.toThrow(
      /Only the report has the metric "auc\.0\.0"/,
    );
    await expect(send(judged(), { weight: 6, metrics: { loss: 2.5 } })).rejects.toThrow(/Only the vector has the metric "correct"/);
  });

  it.each([
    ["more rows of a class than rows", { "auc.1.255": 1000 }, "histograms of scores count 1005 rows; its weight is 6"],
    ["fewer than none", { "auc.1.255": -1 }, '"auc.1.255" is -1, no count'],
    ["parts of rows", { "auc.1.255": 0.5, "auc.1.254": 0.5 }, "no count"],
    ["more rows found than rows", { "f1.tp.1": 7 }, "counts for f1 are of"],
    ["confidences above 1", { "calibration.confidence.9": 1.5 }, "add up to 1.5, which they cannot"],
  ])("are refused when they are of %s, and the party is named", async (_what, lie, message) => {
    const outcome = judged();
    await expect(send({ ...outcome, heldOutSums: { ...outcome.heldOutSums, ...lie } })).rejects.toMatchObject({
      code: "UPDATE_REJECTED",
      message: expect.stringMatching(new RegExp(`^The update of ash is rejected: .*${message}`)) as string,
      details: { party: "ash" },
    });
  });

  it("come to the metrics of all rows, and what is kept of them are these", () => {
    const vector = encode(kernel, { spec, plan, party: "ash", round: 1 }, "evaluate", { ...judged(), delta: new Float32Array() });
    const totals = evaluationTotals(plan, decodeExtras(vector, uploadLayout(plan, "evaluate")));
    expect(Object.keys(totals.metrics)).toEqual(["loss", "correct"]);
    expect(totals).toMatchObject({ weight: 6, metrics: { loss: 2.5, correct: 5 } });
    const wanted = evaluateMetrics(NAMES, SCORES, LABELS, { classes: 2 });
    expect(Object.keys(totals.heldOut!)).toEqual(NAMES);
    for (const name of NAMES) expect(totals.heldOut![name]).toBeCloseTo(wanted[name]!, 5);
    expect(totals.heldOut!["auc"]).toBe(wanted["auc"]);
  });
});

describe("a trainer of the party's own that judges a network", () => {
  const { spec, plan } = planned({});
  const parameters = new Float32Array(plan.model.parameters);
  const task = {
    parameters,
    layout: { entries: [], length: parameters.length },
    spec,
    plan,
    party: "ash",
    round: 1,
    config: {},
  } as unknown as TrainingTask;
  const evaluateWith = (outcome: EvaluateOutcome) =>
    evaluate({ kernelBuild: "own", fit: () => Promise.reject(new Error("It is not asked to fit.")), evaluate: () => Promise.resolve(outcome) }, task);

  it("gives the sums, checked before they leave the party, and no others", async () => {
    expect(await evaluateWith({ ...judged(), heldOutSums: { ...judged().heldOutSums, other: 3 } })).toEqual(judged());
    const { weight, metrics, heldOutSums } = judged();
    await expect(evaluateWith({ weight, metrics })).rejects.toMatchObject({
      code: "TRAINER_FAILED",
      message: expect.stringContaining('Its sum "auc.0.0" is missing.') as string,
    });
    await expect(evaluateWith({ weight, metrics, heldOutSums: { ...heldOutSums, "f1.fn.1": 90 } })).rejects.toMatchObject({ code: "TRAINER_FAILED" });
  });
});
