import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { MNIST_SCHEMA } from "../data/node/sources/mnist.ts";
import { compileOrThrow, parseRunSpec } from "./index.ts";

const FILE = new URL("../../../../examples/mnist-cnn/run.yaml", import.meta.url);

describe("examples/mnist-cnn", () => {
  const spec = parseRunSpec(readFileSync(FILE, "utf8"), "examples/mnist-cnn/run.yaml");
  const parties = Array.from({ length: Number(spec.simulation!.parties) }, (_, index) => ({
    name: `party-${index + 1}`,
    kernelBuild: "build",
    dataset: { schema: MNIST_SCHEMA, trainExamples: 600, testExamples: 100, contentHash: "0".repeat(64) },
  }));
  const plan = compileOrThrow(spec, { kernelBuild: "build", parties, simulated: true });

  it("is a run of McMahan's CNN", () => {
    expect(plan.model.parameters).toBe(1_663_370);
    expect(plan.model.network).toMatchObject({ inputShape: [1, 28, 28], loss: "softmax-cross-entropy" });
    expect(plan.cohort).toMatchObject({ size: 10, invited: 10, quorum: 10 });
    expect(plan.updateBytes).toBeGreaterThan(2 * 1_663_370);
    expect(plan.estimatedSeconds).toBeLessThan(600);
  });
});
