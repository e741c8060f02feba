import { NexusError } from "@ciphernx/core/errors";
import type { Address, KernelExports } from "./kernel-exports.ts";

/** Examples in memory of the host, row after row. They are only read. */
export interface Examples {
  /** `inputLength` features an example: numbers, or bytes that are multiplied with `featureScale` on their way in. */
  readonly features: Float32Array | Uint8Array;
  /** Factor of byte features, for example 1 / 255. Default 1; only with bytes. */
  readonly featureScale?: number;
  /** Softmax cross-entropy: one class index an example, whole numbers. Other losses: one value for each output. */
  readonly targets: Float32Array | Uint8Array | Uint32Array | Int32Array;
}

/** Features without targets. */
export type Features = Pick<Examples, "features" | "featureScale">;

/** Where a network's batch lies, and what an example of it looks like. */
export interface BatchPlace {
  readonly kernel: KernelExports;
  readonly memory: WebAssembly.Memory;
  readonly inputLength: number;
  readonly outputLength: number;
  readonly targetKind: "class" | "values";
  readonly input: Address;
  readonly inputBytes: Address;
  readonly targets: Address;
  readonly maxBatch: number;
}

/** Brings examples into a network's memory, a batch at a time. */
export interface Feeder {
  /** Number of examples. Throws DATA_INVALID when lengths, classes or the scale do not fit the network. */
  check(examples: Examples): number;
  checkFeatures(features: Features): number;
  /** Examples order[start], …, order[start + rows − 1] become the batch. */
  gather(examples: Examples, order: Uint32Array, start: number, rows: number): void;
  /** Examples start, …, start + rows − 1 become the batch. */
  take(examples: Examples, start: number, rows: number): void;
  takeFeatures(features: Features, start: number, rows: number): void;
}

export function createFeeder({ kernel, memory, inputLength, outputLength, targetKind, input, inputBytes, targets, maxBatch }: BatchPlace): Feeder {
  const floats = new Float32Array(memory.buffer, input, maxBatch * inputLength);
  const bytes = new Uint8Array(memory.buffer, inputBytes, maxBatch * inputLength);
  const width = targetKind === "class" ? 1 : outputLength;
  const classes = new Int32Array(memory.buffer, targets, maxBatch);
  const values = new Float32Array(memory.buffer, targets, maxBatch * width);
  const batchTargets = targetKind === "class" ? classes : values;

  function checkFeatures({ features, featureScale }: Features): number {
    if (features.length % inputLength !== 0) {
      throw new NexusError("DATA_INVALID", `${features.length} features are no whole number of examples of ${inputLength}.`);
    }
    if (featureScale !== undefined && features instanceof Float32Array) {
      throw new NexusError("DATA_INVALID", "A feature scale applies to features given as bytes only; these are numbers.");
    }
    return features.length / inputLength;
  }

  function check(examples: Examples): number {
    const count = checkFeatures(examples);
    const given = examples.targets;
    if (given.length !== count * width) {
      throw new NexusError("DATA_INVALID", `${count} examples need ${count * width} targets; there are ${given.length}.`);
    }
    if (targetKind === "class") {
      if (given instanceof Float32Array) throw new NexusError("DATA_INVALID", "Classes must be whole numbers; the targets are f32.");
      const wrong = given.findIndex((label) => label < 0 || label >= outputLength);
      if (wrong >= 0) {
        throw new NexusError("DATA_INVALID", `Example ${wrong} has the class ${given[wrong]}; the network tells ${outputLength} apart, from 0.`, {
          details: { example: wrong, class: given[wrong] },
        });
      }
    }
    return count;
  }

  function convert({ features, featureScale = 1 }: Features, rows: number): void {
    if (features instanceof Uint8Array) kernel.bytesToFloats(inputBytes, input, rows * inputLength, featureScale);
  }

  function takeFeatures(given: Features, start: number, rows: number): void {
    const { features } = given;
    (features instanceof Uint8Array ? bytes : floats).set(features.subarray(start * inputLength, (start + rows) * inputLength));
    convert(given, rows);
  }

  return {
    check,
    checkFeatures,
    takeFeatures,
    take(examples, start, rows) {
      takeFeatures(examples, start, rows);
      batchTargets.set(examples.targets.subarray(start * width, (start + rows) * width));
    },
    gather(examples, order, start, rows) {
      const { features, targets: given } = examples;
      const to = features instanceof Uint8Array ? bytes : floats;
      for (let row = 0; row < rows; row += 1) {
        const example = order[start + row]!;
        to.set(features.subarray(example * inputLength, (example + 1) * inputLength), row * inputLength);
        for (let j = 0; j < width; j += 1) batchTargets[row * width + j] = given[example * width + j]!;
      }
      convert(examples, rows);
    },
  };
}
