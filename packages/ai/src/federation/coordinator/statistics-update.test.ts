import { expect, it } from "vitest";
import { encodeUpdateFile, loadAggregationKernel } from "../../aggregation/index.ts";
import { datasetSchema } from "../../data/index.ts";
import { rowStatistics } from "../../data/preprocess/index.ts";
import { compileOrThrow, parseRunSpec } from "../../spec/index.ts";
import { encode } from "../node/encode.ts";
import { checkUpdateFile } from "./check-update.ts";
import { taskFileSizeBytes } from "../round/upload-layout.ts";

const ROWS = datasetSchema.parse({
  kind: "table",
  task: "classification",
  columns: [
    { name: "age", role: "feature", type: "number", range: [0, 100] },
    { name: "ill", role: "label", type: "category", categories: ["no", "yes"] },
  ],
});

it("statistics are of the rows that are registered, and their report says nothing besides", async () => {
  const kernel = await loadAggregationKernel();
  const spec = parseRunSpec({
    version: 1,
    name: "small",
    seed: 1,
    data: { dataset: "rows" },
    preprocess: {},
    model: { kind: "logistic" },
    train: { optimiser: { kind: "sgd", learningRate: 0.1 } },
    protection: { kind: "none" },
    rounds: 1,
  });
  const party = (name: string, trainExamples: number) => ({
    ...{ name, kernelBuild: "build" },
    dataset: { schema: ROWS, trainExamples, testExamples: 0, contentHash: "0".repeat(64), missing: [] },
  });
  const plan = compileOrThrow(spec, { kernelBuild: "build", parties: [party("ash", 3), party("birch", 200)] });
  const { steps } = plan.preprocess!;

  const check = (name: string, count: number, metrics: Readonly<Record<string, number>> = {}) => {
    const features = Float32Array.from({ length: count }, (_, row) => row % 90);
    const sums = rowStatistics(steps, { features, featureLength: 1, targets: new Uint8Array(count), count }, plan.encoding.maxWeight);
    const counted = { delta: new Float32Array(), weight: count, metrics: Object.fromEntries(sums.entries().map(([at, sum]) => [String(at), sum])) };
    const file = encodeUpdateFile(encode(kernel, { spec, plan, party: name, round: 0 }, "statistics", counted));
    expect(file).toHaveLength(taskFileSizeBytes(plan, "statistics"));
    const staged = {
      read: (offset: number, length: number, into = new Uint8Array(length)) => {
        into.set(file.subarray(offset, offset + length));
        return Promise.resolve(into);
      },
    };
    return checkUpdateFile(kernel, staged, file.length, { party: name, kind: "statistics", plan }, { weight: count, metrics });
  };
  await check("ash", 3);
  await check("birch", 200);
  // As many as another party has, which every weight may be.
  await expect(check("ash", 4)).rejects.toMatchObject({
    ...{ code: "UPDATE_REJECTED", details: { party: "ash" } },
    message: expect.stringContaining("counts 4 rows; 3 are registered") as string,
  });
  await expect(check("ash", 3, { loss: 1 })).rejects.toMatchObject({
    ...{ code: "UPDATE_REJECTED", message: expect.stringContaining('a metric "loss"') as string },
  });
});
