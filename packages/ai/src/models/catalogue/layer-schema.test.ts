import { findMistakes } from "@ciphernx/core/spec";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { inferShapes, LAYER_KINDS, type NetworkLayerSpec } from "../../nn/index.ts";
import { parseRunSpec, runSpecHash, type RunSpecInput } from "../../spec/index.ts";
import { modelSection } from "../index.ts";

type LayerInput = Extract<RunSpecInput["model"], { kind: "layers" }>["layers"][number];

const SCHEMA = z.strictObject({ model: modelSection.schema });

/** Layers of every kind, one behind the other, written as short as can be: of tokens, and of images. */
const TOKENS: readonly LayerInput[] = [
  { kind: "embedding", vocabulary: 5, dimensions: 6 },
  { kind: "flatten" },
  { kind: "dense", units: 96 },
  { kind: "tanh" },
  { kind: "sigmoid" },
];
const IMAGE: readonly LayerInput[] = [
  { kind: "conv2d", channels: 4, size: 3 },
  { kind: "batch-norm" },
  { kind: "relu" },
  { kind: "depthwise-conv2d", size: [2, 3] },
  { kind: "group-norm", groups: 2 },
  { kind: "max-pool", size: 2 },
  { kind: "residual", layers: [{ kind: "conv2d", channels: 4, size: 3, padding: 1 }, { kind: "sigmoid" }] },
  { kind: "average-pool", size: 2, stride: 1 },
  { kind: "dropout", rate: 0.5 },
  { kind: "global-average-pool" },
];

function specOf(layers: readonly LayerInput[]): RunSpecInput {
  return {
    version: 1,
    name: "x",
    seed: 1,
    data: { dataset: "rows" },
    model: { kind: "layers", layers: [...layers] },
    train: { optimiser: { kind: "sgd", learningRate: 0.1 } },
    rounds: 1,
  };
}

function parsed(layers: readonly LayerInput[]) {
  const { model } = parseRunSpec(specOf(layers));
  if (model.kind !== "layers") throw new Error(model.kind);
  return model.layers;
}

describe("the layers of a spec", () => {
  it("are those that the engine has, each with a schema", () => {
    const kinds = new Set([...TOKENS, ...IMAGE].map(({ kind }) => kind));
    expect([...kinds].toSorted()).toEqual(LAYER_KINDS.toSorted());
    for (const kind of LAYER_KINDS) {
      // A kind without a schema would be a mistake of its `kind`; one with a schema lacks other keys at most.
      const mistakes = findMistakes(SCHEMA, { model: { kind: "layers", layers: [{ kind }] } });
      expect(mistakes.map(({ path }) => path)).not.toContain("model.layers[0].kind");
    }
  });

  it("have the engine's defaults written out, which change neither shapes nor hash", () => {
    for (const [layers, shape] of [[TOKENS, [7]] as const, [IMAGE, [1, 12, 12]] as const]) {
      expect(inferShapes(parsed(layers), shape)).toEqual(inferShapes(layers as readonly NetworkLayerSpec[], shape));
      expect(runSpecHash(parseRunSpec(specOf(parsed(layers))))).toBe(runSpecHash(parseRunSpec(specOf(layers))));
    }
    expect(parsed(IMAGE).slice(0, 2)).toEqual([
      { kind: "conv2d", channels: 4, size: 3, stride: 1, padding: 0 },
      { kind: "batch-norm", momentum: 0.1, epsilon: 1e-5 },
    ]);
    expect(parsed(IMAGE)[5]).toEqual({ kind: "max-pool", size: 2, padding: 0 });
  });

  it("are described without references, which readers of the schema would have to follow", () => {
    expect(JSON.stringify(z.toJSONSchema(modelSection.schema, { io: "input" }))).not.toContain("$ref");
  });

  it.each<readonly [unknown, string, string | RegExp]>([
    [{ kind: "conv2d", chanels: 4, channels: 4, size: 3 }, "model.layers[1].chanels", 'Did you mean "channels"?'],
    [{ kind: "conv2d", channels: 0, size: 3 }, "model.layers[1].channels", "Allowed: a whole number from 1 to 65536."],
    [{ kind: "conv2d", channels: 4 }, "model.layers[1].size", "Add it: a whole number from 1 to 65536 or a list of 2 entries."],
    [{ kind: "conv2d", channels: 4, size: "3x3" }, "model.layers[1].size", "Allowed: a whole number from 1 to 65536 or a list of 2 entries."],
    [{ kind: "conv2d", channels: 4, size: [3, 0] }, "model.layers[1].size[1]", /./u],
    [{ kind: "conv2d", channels: 4, size: 3, stride: null }, "model.layers[1].stride", /^Allowed/u],
    [{ kind: "convd2", channels: 4, size: 3 }, "model.layers[1].kind", /Did you mean "conv2d"\?/u],
    [{ units: 3 }, "model.layers[1].kind", /^Add it: "dense", "relu"/u],
    ["relu", "model.layers[1]", /./u],
    [{ kind: "dropout", rate: 1 }, "model.layers[1].rate", "Allowed: a number from 0 below 1."],
    [{ kind: "residual", layers: [] }, "model.layers[1].layers", /./u],
    [{ kind: "residual", layers: [{ kind: "group-norm", group: 2 }] }, "model.layers[1].layers[0].groups", /^Add it/u],
    [{ kind: "residual", layers: [{ kind: "residual", layers: [{ kind: "relu" }] }] }, "model.layers[1].layers[0].kind", /^Allowed: "dense"/u],
  ])("are named with their place where they are wrong: %j", (layer, path, remedy) => {
    const mistakes = findMistakes(SCHEMA, { model: { kind: "layers", layers: [{ kind: "relu" }, layer] } });
    const mistake = mistakes.find((one) => one.path === path);
    expect(mistakes.map((one) => one.path)).toContain(path);
    expect(mistake!.remedy).toEqual(typeof remedy === "string" ? remedy : expect.stringMatching(remedy));
    expect(mistake!.reason).not.toMatch(/Invalid|Too |received|>=|<=/u);
  });
});
