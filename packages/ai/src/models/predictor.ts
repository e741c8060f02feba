import { NexusError } from "@ciphernx/core/errors";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { classCount, type DatasetSchema, type Examples, labelColumn } from "../data/index.ts";
import { prepareFeatures } from "../data/preprocess/index.ts";
import { createNetwork, type Kernel } from "../nn/index.ts";
import { loadModel } from "./load-model.ts";
import type { UsableModel } from "./read-model-card.ts";

/** Rows that a network judges at once. */
const BATCH = 256;

/** What a model says of one row. */
export type Prediction =
  | {
      readonly kind: "class";
      readonly label: string;
      /** One for each class, in the order of the classes. */ readonly probabilities: readonly number[];
    }
  | { readonly kind: "number"; readonly value: number };

/** A model that is ready to judge rows. */
export interface Predictor {
  /** What a row must be. */
  readonly schema: DatasetSchema;
  /** Names of the classes in the order of their indices; empty for a regression. */
  readonly classes: readonly string[];
  /** Features that may be missing (NaN): the model fills them as it learnt to. */
  readonly fills: ReadonlySet<string>;
  /** One prediction a row, in order. Labels are not looked at. @throws NexusError DATA_INVALID for a missing cell that nothing fills */
  predict(rows: Pick<Examples, "features" | "featureScale">): readonly Prediction[];
}

/**
 * Makes a model ready.
 * @param file the model's safetensors file
 * @throws NexusError MODEL_NOT_USABLE when the file is not the one of the card, or does not fit the card's network
 */
export function createPredictor(kernel: Kernel, model: UsableModel, file: Uint8Array<ArrayBuffer>): Predictor {
  const found = bytesToHex(sha256(file));
  if (found !== model.hash) {
    throw new NexusError("MODEL_NOT_USABLE", `The file has the SHA-256 ${found}; the card of "${model.name}" is of ${model.hash}.`, {
      hint: "Pull model and card again: `nexus model pull` writes both.",
      details: { model: model.name, found, expected: model.hash },
    });
  }
  const { schema, preprocessing } = model;
  const network = createNetwork(kernel, model.network, { maxBatch: BATCH });
  network.load(loadModel(file, network.layout.entries).parameters);
  const classes = classNames(schema);
  const width = network.outputLength;

  function predictionOf(outputs: Float32Array): Prediction {
    if (classes.length === 0) return { kind: "number", value: outputs[0]! };
    // One output tells of two classes how probable the second is.
    const probabilities = width === 1 ? [1 - outputs[0]!, outputs[0]!] : [...outputs.subarray(0, classes.length)];
    const likeliest = probabilities.reduce((best, probability, index) => (probability > probabilities[best]! ? index : best), 0);
    return { kind: "class", label: classes[likeliest]!, probabilities };
  }

  return {
    schema,
    classes,
    fills: new Set(preprocessing?.columns.filter(({ fill }) => fill !== null).map(({ column }) => column)),
    predict({ features, featureScale }) {
      const outputs =
        preprocessing === undefined ? network.predict(features, featureScale) : network.predict(prepareFeatures(preprocessing, features));
      return Array.from({ length: outputs.length / width }, (_, row) => predictionOf(outputs.subarray(row * width, (row + 1) * width)));
    },
  };
}

function classNames(schema: DatasetSchema): readonly string[] {
  if (schema.kind === "tensor") return schema.classNames ?? Array.from({ length: classCount(schema) ?? 0 }, (_, index) => String(index));
  const label = labelColumn(schema);
  return label.type === "category" ? label.categories : [];
}
