import { describe, expect, it } from "vitest";
import type { DatasetSchema } from "../data/index.ts";
import { inferShapes, type NetworkLayerSpec } from "../nn/index.ts";
import { parameterLayout } from "../tensor/index.ts";
import { chooseLocal } from "./choose-local.ts";
import { compile, type CompileFacts, compileOrThrow, parseRunSpec, type RunSpecInput } from "./index.ts";

const ROWS: DatasetSchema = { kind: "tensor", shape: [4], element: "f32", scale: 1, task: "classification", classes: 3 };
const FACTS: CompileFacts = {
  kernelBuild: "build",
  parties: [{ name: "ash", kernelBuild: "build", dataset: { schema: ROWS, trainExamples: 10, testExamples: 0, contentHash: "0".repeat(64) } }],
};

function specOf(local?: readonly string[]): RunSpecInput {
  return {
    version: 1,
    name: "small",
    seed: 1,
    data: { dataset: "rows" },
    model: { kind: "mlp", hidden: [5] },
    train: { optimiser: { kind: "sgd", learningRate: 0.1 } },
    strategy: { kind: "fedavg", ...(local === undefined ? {} : { local: [...local] }) },
    protection: { kind: "none" },
    rounds: 5,
    encoding: { bits: 16 },
  };
}

describe("the plan of a run whose parties keep tensors", () => {
  it("names them, and prices the upload without them and the model with them", () => {
    const plan = compileOrThrow(parseRunSpec(specOf(["layer2.*"])), FACTS);
    const all = compileOrThrow(parseRunSpec(specOf()), FACTS);
    expect(plan.model).toEqual({ ...all.model, local: ["layer2.bias", "layer2.weight"] });
    // 5·3 weights and 3 biases of 2 bytes less; the header's numbers lose a digit here and there.
    const fileBytes = (coordinates: number) => {
      const json = `{"coordinates":{"dtype":"I16","shape":[${coordinates}],"data_offsets":[0,${coordinates * 2}]}}`;
      return 8 + Math.ceil(json.length / 8) * 8 + coordinates * 2;
    };
    expect([all.updateBytes, plan.updateBytes]).toEqual([fileBytes(43 + 16), fileBytes(25 + 16)]);
    expect(plan.totalBytes).toEqual({ down: 5 * all.model.sizeBytes, up: 5 * plan.updateBytes });
    expect(plan.planHash).not.toBe(all.planHash);
    expect(all.model).not.toHaveProperty("local");
  });

  it("is refused when a pattern means nothing, with the rest as the edit, and when nothing is left to share", () => {
    const refusalsOf = (local: readonly string[]) => {
      const compiled = compile(parseRunSpec(specOf(local)), FACTS);
      return compiled.ok ? [] : compiled.refusals;
    };
    expect(refusalsOf(["layer0.*", "*-norm"])).toEqual([
      expect.objectContaining({
        path: "strategy.local",
        reason: 'No tensor or kind of layer of the model is called "*-norm"; its tensors are layer0.bias, layer0.weight, layer2.bias, layer2.weight.',
        edits: [{ path: "strategy.local", value: ["layer0.*"] }],
      }),
    ]);
    expect(refusalsOf(["*-norm"])[0]).not.toHaveProperty("edits");
    expect(refusalsOf(["dense"])).toEqual([
      expect.objectContaining({ path: "strategy.local", reason: expect.stringContaining("Every tensor") as string }),
    ]);
  });

  it("finds norm layers by their kind, inside residual blocks too", () => {
    const conv = { kind: "conv2d", channels: 4, size: 3, padding: 1 } as const;
    const norm = { kind: "group-norm", groups: 2 } as const;
    const layers: readonly NetworkLayerSpec[] = [conv, norm, { kind: "residual", layers: [conv, norm] }, { kind: "flatten" }];
    const inputShape = [1, 6, 6];
    const tensors = parameterLayout(
      inferShapes(layers, inputShape).flatMap(({ parameters }) => parameters.map(({ name, shape }) => [name, shape] as const)),
    ).entries;
    const shape = { network: { inputLength: 36, inputShape, layers, loss: "softmax-cross-entropy" as const }, tensors, parameters: 0 };
    expect(chooseLocal(parseRunSpec(specOf(["*-norm"])), shape, [])).toEqual([
      "layer1.bias",
      "layer1.weight",
      "layer2.layer1.bias",
      "layer2.layer1.weight",
    ]);
  });
});
