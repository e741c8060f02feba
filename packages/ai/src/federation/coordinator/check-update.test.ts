import { expect, it } from "vitest";
import { encodeUpdate, encodeUpdateFile, loadAggregationKernel } from "../../aggregation/index.ts";
import type { DatasetSchema } from "../../data/index.ts";
import { compileOrThrow, parseRunSpec } from "../../spec/index.ts";
import { taskFileSizeBytes, uploadLayout } from "../round/upload-layout.ts";
import { checkUpdateFile } from "./check-update.ts";

const ROWS: DatasetSchema = { kind: "tensor", shape: [4], element: "f32", scale: 1, task: "classification", classes: 3 };

it("a strategy's sum lies from 0 to the update's weight, whatever was signed", async () => {
  const kernel = await loadAggregationKernel();
  const spec = parseRunSpec({
    version: 1,
    name: "small",
    seed: 1,
    data: { dataset: "rows" },
    model: { kind: "mlp", hidden: [] },
    train: { optimiser: { kind: "sgd", learningRate: 0.1 } },
    strategy: { kind: "fednova", local: ["*.bias"] },
    protection: { kind: "none" },
    rounds: 1,
  });
  const dataset = { schema: ROWS, trainExamples: 10, testExamples: 0, contentHash: "0".repeat(64) };
  const plan = compileOrThrow(spec, { kernelBuild: "build", parties: [{ name: "ash", kernelBuild: "build", dataset }] });
  const { metricNames, parameters } = uploadLayout(plan, "fit");
  expect({ metricNames, parameters }).toEqual({ metricNames: ["loss", "correct", "fednova.localWork"], parameters: 12 });

  const check = (localWork: number) => {
    const report = { weight: 10, metrics: { loss: 1, correct: 2, "fednova.localWork": localWork } };
    const { vector } = encodeUpdate({ kernel, delta: new Float32Array(parameters), ...report, encoding: plan.encoding, metricNames });
    const file = encodeUpdateFile(vector);
    expect(file).toHaveLength(taskFileSizeBytes(plan, "fit"));
    const staged = {
      read: (offset: number, length: number, into = new Uint8Array(length)) => {
        into.set(file.subarray(offset, offset + length));
        return Promise.resolve(into);
      },
    };
    return checkUpdateFile(kernel, staged, file.length, { party: "ash", kind: "fit", plan }, report);
  };
  await check(10);
  await check(0);
  for (const wrong of [10.5, -1, 1e9]) {
    await expect(check(wrong)).rejects.toMatchObject({ code: "UPDATE_REJECTED", message: expect.stringContaining("fednova.localWork") as string });
  }
});
