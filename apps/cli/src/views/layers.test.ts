import type { DatasetSchema } from "@ciphernx/ai/data";
import { compileOrThrow, parseRunSpec, type RunSpecInput } from "@ciphernx/ai/spec";
import { describe, expect, it } from "vitest";
import { formatLayers } from "./layers.ts";
import { formatPlan } from "./plan.ts";

function planOf(model: RunSpecInput["model"], shape: readonly number[]) {
  const spec = parseRunSpec({
    version: 1,
    name: "digits",
    seed: 1,
    data: { dataset: "rows" },
    model,
    train: { optimiser: { kind: "sgd", learningRate: 0.1 } },
    protection: { kind: "none" },
    rounds: 1,
  });
  const schema: DatasetSchema = { kind: "tensor", shape: [...shape], element: "u8", scale: 1 / 255, task: "classification", classes: 10 };
  const dataset = { schema, trainExamples: 10, testExamples: 0, contentHash: "0".repeat(64) };
  return compileOrThrow(spec, { kernelBuild: "build", parties: [{ name: "ash", kernelBuild: "build", dataset }] });
}

describe("a plan's layers", () => {
  it("are listed with their shapes and parameters", () => {
    const plan = planOf({ kind: "cnn" }, [28, 28]);
    expect(formatLayers(plan.model.network!)).toBe(
      `
LAYER   KIND      OUTPUT        PARAMETERS
layer0  conv2d    32 × 28 × 28         832
layer1  relu      32 × 28 × 28           0
layer2  max-pool  32 × 14 × 14           0
layer3  conv2d    64 × 14 × 14       51264
layer4  relu      64 × 14 × 14           0
layer5  max-pool  64 × 7 × 7             0
layer6  flatten   3136                   0
layer7  dense     512              1606144
layer8  relu      512                    0
layer9  dense     10                  5130`.trimStart(),
    );
    expect(formatPlan(plan)).toContain(formatLayers(plan.model.network!));
    expect(formatPlan(plan)).toContain("1663370 parameters");
  });

  it("are listed with those inside a block, whose parameters sum up to the model's", () => {
    const { model } = planOf({ kind: "resnet" }, [3, 32, 32]);
    const lines = formatLayers(model.network!).split("\n").slice(1);
    expect(lines[3]).toMatch(/^layer03 +residual +16 × 32 × 32$/u);
    expect(lines[4]).toMatch(/^layer03\.layer0 +conv2d +16 × 32 × 32 +2320$/u);
    const counts = lines.filter((line) => !line.includes("residual")).map((line) => Number(/ (\d+)$/u.exec(line)![1]));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(model.parameters);
  });

  it("are left out where the trainer is the parties' own", () => {
    expect(formatPlan(planOf({ kind: "tensors", tensors: { w: [3] } }, [4]))).not.toContain("LAYER");
  });
});
