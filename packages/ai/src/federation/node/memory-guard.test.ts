import { describe, expect, it } from "vitest";
import type { DatasetSchema } from "../../data/index.ts";
import { compileOrThrow, parseRunSpec } from "../../spec/index.ts";
import type { AskedTask } from "./dataset-guard.ts";
import { memoryGuard, taskMemoryBytes } from "./memory-guard.ts";

const SCHEMA: DatasetSchema = { kind: "tensor", shape: [16], element: "f32", scale: 1, task: "classification", classes: 4 };

function asked(hidden: number, batchSize: number, protection: "none" | "secagg" = "none"): AskedTask {
  const spec = parseRunSpec(
    JSON.stringify({
      ...{
        version: 1,
        name: "small",
        seed: 1,
        data: { dataset: "rows" },
        model: { kind: "mlp", hidden: [hidden] },
        protection: { kind: protection },
        rounds: 1,
      },
      train: { optimiser: { kind: "sgd", learningRate: 0.1 }, batchSize },
    }),
  );
  const dataset = { schema: SCHEMA, trainExamples: 100, testExamples: 0, contentHash: "0".repeat(64) };
  const parties = ["clinic", "hospital", "practice"].map((name) => ({ name, kernelBuild: "build", dataset }));
  const plan = compileOrThrow(spec, { kernelBuild: "build", parties, simulated: true });
  return { spec, plan, specHash: plan.specHash, runId: "run_1", round: 1, party: "clinic" };
}

describe("the memory that a task needs", () => {
  it("grows with the batch and with the model, and is more than the model itself", () => {
    const bytesOf = (hidden: number, batchSize: number): number => {
      const { spec, plan } = asked(hidden, batchSize);
      expect(taskMemoryBytes(spec, plan)).toBeGreaterThan(2 * plan.model.sizeBytes + plan.updateBytes);
      return taskMemoryBytes(spec, plan);
    };
    expect(bytesOf(8, 4096)).toBeGreaterThan(bytesOf(8, 8) + 4 * 8 * 4000);
    expect(bytesOf(4096, 8)).toBeGreaterThan(bytesOf(8, 8) + 4 * 4096 * 20);
  });

  it("counts an update twice where it is masked: as it was, and as it goes", () => {
    const bytesOf = (protection: "none" | "secagg") => {
      const { spec, plan } = asked(64, 32, protection);
      return { plan, rest: taskMemoryBytes(spec, plan) - plan.updateBytes };
    };
    const [open, hidden] = [bytesOf("none"), bytesOf("secagg")];
    expect(hidden.rest - open.rest).toBeGreaterThanOrEqual(hidden.plan.model.parameters * (hidden.plan.encoding.bits / 8));
  });

  it("is refused where there is less, before the owner is asked, and let through where there is enough", async () => {
    const task = asked(64, 32);
    const neededBytes = taskMemoryBytes(task.spec, task.plan);
    const seen: string[] = [];
    const owner = { admit: async ({ runId }: AskedTask) => void seen.push(runId) };
    await expect(memoryGuard(owner, neededBytes - 1).admit(task)).rejects.toMatchObject({
      code: "NODE_LIMIT",
      details: { run: "run_1", neededBytes, freeBytes: neededBytes - 1 },
    });
    expect(seen).toEqual([]);
    await memoryGuard(owner, neededBytes).admit(task);
    expect(seen).toEqual(["run_1"]);
  });
});
