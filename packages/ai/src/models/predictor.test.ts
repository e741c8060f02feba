import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import type { DatasetSchema } from "../data/index.ts";
import { type Kernel, loadKernel, networkLayout, type NetworkSpec } from "../nn/index.ts";
import { encodeSafetensors, viewParameters } from "../tensor/index.ts";
import { createPredictor, readModelCard } from "./index.ts";

let kernel: Kernel;
beforeAll(async () => {
  kernel = await loadKernel();
});

const patients: DatasetSchema = {
  kind: "table",
  task: "classification",
  columns: [
    { name: "a", role: "feature", type: "number" },
    { name: "b", role: "feature", type: "number" },
    { name: "ill", role: "label", type: "category", categories: ["no", "maybe", "yes"] },
  ],
};
const prices: DatasetSchema = {
  kind: "table",
  task: "regression",
  columns: [
    { name: "rooms", role: "feature", type: "number" },
    { name: "price", role: "label", type: "number" },
  ],
};

/** One dense layer with weights that were written down, its file, and a card as a run would write it. */
function made(schema: DatasetSchema, network: NetworkSpec, values: Readonly<Record<string, readonly number[]>>) {
  const layout = networkLayout(network);
  const flat = new Float32Array(layout.entries.flatMap(({ name }) => [...values[name]!]));
  const file = encodeSafetensors(viewParameters(flat, layout));
  const hash = createHash("sha256").update(file).digest("hex");
  const card = {
    version: 1,
    name: "made",
    model: { hash, format: "safetensors", parameters: flat.length, network },
    data: { dataset: "rows", schema },
  };
  return { file, card };
}

const softmax = { inputLength: 2, layers: [{ kind: "dense", units: 3 }], loss: "softmax-cross-entropy" } as const;
const threeClasses = () => made(patients, softmax, { "layer0.bias": [0, 0, 1], "layer0.weight": [1, 0, 0, 0, 1, 0] });

describe("a predictor", () => {
  it("gives each row its likeliest class and the softmax of what was worked out by hand", () => {
    const { file, card } = threeClasses();
    const predictor = createPredictor(kernel, readModelCard(card, "The card"), file);
    expect(predictor.classes).toEqual(["no", "maybe", "yes"]);
    const predictions = predictor.predict({ features: Float32Array.of(3, 0, 0, 2, 0, 0) });
    expect(predictions.map((one) => one.kind === "class" && one.label)).toEqual(["no", "maybe", "yes"]);
    const logits = [3, 0, 1];
    const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
    const [first] = predictions;
    if (first?.kind !== "class") throw new Error("The model has classes.");
    first.probabilities.forEach((probability, index) => expect(probability).toBeCloseTo(Math.exp(logits[index]!) / sum, 6));
  });

  it("gives a regression's rows their numbers", () => {
    const network = { inputLength: 1, layers: [{ kind: "dense", units: 1 }], loss: "mse" } as const;
    const { file, card } = made(prices, network, { "layer0.bias": [0.5], "layer0.weight": [2] });
    const { predict, classes } = createPredictor(kernel, readModelCard(card, "The card"), file);
    expect(classes).toEqual([]);
    expect(predict({ features: Float32Array.of(1, 4) })).toEqual([
      { kind: "number", value: 2.5 },
      { kind: "number", value: 8.5 },
    ]);
  });

  it("judges more rows than a batch holds, each as it would alone", () => {
    const { file, card } = threeClasses();
    const predictor = createPredictor(kernel, readModelCard(card, "The card"), file);
    const features = Float32Array.from({ length: 2 * 1000 }, (_, index) => ((index * 37) % 11) / 4);
    const together = predictor.predict({ features });
    expect(together).toHaveLength(1000);
    for (const row of [0, 255, 256, 999]) expect(predictor.predict({ features: features.slice(row * 2, row * 2 + 2) })).toEqual([together[row]]);
  });
});

describe("a model that cannot be used is refused by name", () => {
  it("when the file is not the card's", () => {
    const { file, card } = threeClasses();
    file[file.length - 1]! ^= 1;
    const model = readModelCard(card, "The card");
    expect(() => createPredictor(kernel, model, file)).toThrow(
      expect.objectContaining({ code: "MODEL_NOT_USABLE", message: expect.stringContaining(card.model.hash) as string }),
    );
  });

  it("when the card's network is another", () => {
    const { file, card } = threeClasses();
    const wider = { ...card, model: { ...card.model, network: { ...softmax, layers: [{ kind: "dense", units: 4 }] } } };
    expect(() => createPredictor(kernel, readModelCard(wider, "The card"), file)).toThrow(expect.objectContaining({ code: "DATA_INVALID" }));
    const unknown = { ...card, model: { ...card.model, network: { ...softmax, layers: [{ kind: "dance", units: 4 }] } } };
    expect(() => createPredictor(kernel, readModelCard(unknown, "The card"), file)).toThrow(expect.objectContaining({ code: "SPEC_INVALID" }));
  });

  it("when the parties trained it themselves", () => {
    const { card } = threeClasses();
    const { network: _, ...model } = card.model;
    expect(() => readModelCard({ ...card, model }, "The card")).toThrow(expect.objectContaining({ code: "MODEL_NOT_USABLE" }));
  });

  it("when the document is no card", () => {
    for (const document of [null, [], {}, { version: 2 }, { ...threeClasses().card, data: {} }]) {
      expect(() => readModelCard(document, "other.json")).toThrow(
        expect.objectContaining({ code: "SPEC_INVALID", message: expect.stringContaining("other.json") as string }),
      );
    }
  });
});
