// Random networks with examples, and the comparison of the engine with the reference.
import { expect } from "vitest";
import { randomStream } from "../../random/index.ts";
import { createNetwork, initialParameters, type Kernel, type Network, type NetworkSpec } from "../index.ts";
import { referenceGradient, referenceMeanLoss, referenceOutputs, type ReferenceParameters, type ReferenceStep } from "./reference.ts";

export const EXAMPLES = 7;
export const RANDOM = { seed: 4, path: ["dropout", "birch", 2] } as const;
export const STEP: ReferenceStep = { number: 1, ...RANDOM };

export interface Problem {
  readonly spec: NetworkSpec;
  readonly network: Network;
  readonly parameters: ReferenceParameters;
  readonly features: Float32Array;
  readonly targets: Float32Array | Uint8Array;
  readonly rows: readonly (readonly number[])[];
  readonly targetRows: readonly (readonly number[])[];
}

function rowsOf(values: Float32Array | Uint8Array, width: number): number[][] {
  return Array.from({ length: values.length / width }, (_, i) => Array.from(values.subarray(i * width, (i + 1) * width)));
}

export function problem(kernel: Kernel, spec: NetworkSpec, seed = 11): Problem {
  const random = randomStream(seed, "problem");
  const network = createNetwork(kernel, spec, { maxBatch: EXAMPLES + 2 });
  const flat = initialParameters(spec, seed);
  // Biases start at zero; a test of them needs others.
  for (let i = 0; i < flat.length; i += 1) flat[i] = flat[i]! + (random.uniform() - 0.5) / 4;
  network.load(flat);
  const [first] = spec.layers;
  const features = Float32Array.from({ length: EXAMPLES * spec.inputLength }, () =>
    first?.kind === "embedding" ? random.below(first.vocabulary) : random.uniform() * 2 - 1,
  );
  const classes = spec.loss === "softmax-cross-entropy";
  const width = classes ? 1 : network.outputLength;
  const targets = classes
    ? Uint8Array.from({ length: EXAMPLES }, () => random.below(network.outputLength))
    : Float32Array.from({ length: EXAMPLES * width }, () => (spec.loss === "bce" ? random.below(2) : random.uniform() * 2));
  const parameters = new Map(
    network.layout.entries.map(({ name, offset, length }) => [name, Float64Array.from(flat.subarray(offset, offset + length))]),
  );
  return { spec, network, parameters, features, targets, rows: rowsOf(features, spec.inputLength), targetRows: rowsOf(targets, width) };
}

/** Relative to the larger of the numbers and a floor. */
export function expectClose(got: ArrayLike<number>, want: ArrayLike<number>, tolerance: number): void {
  expect(got.length).toBe(want.length);
  for (let i = 0; i < want.length; i += 1) {
    const error = Math.abs(got[i]! - want[i]!) / Math.max(Math.abs(want[i]!), 0.1);
    if (!(error <= tolerance)) expect.fail(`Number ${i} is ${got[i]}, not ${want[i]}.`);
  }
}

/** Outputs, metric sums and gradient of a random network against the reference. */
export function expectFormulas(kernel: Kernel, spec: NetworkSpec): void {
  const { network, parameters, features, targets, rows, targetRows } = problem(kernel, spec);
  const outputs = referenceOutputs(spec, parameters, rows);
  const probabilities = outputs.flatMap((row) => {
    if (spec.loss === "mse") return row;
    if (spec.loss === "bce") return row.map((z) => 1 / (1 + Math.exp(-z)));
    const total = row.reduce((sum, z) => sum + Math.exp(z), 0);
    return row.map((z) => Math.exp(z) / total);
  });
  expectClose(network.predict(features), probabilities, 1e-5);

  const correct = outputs.filter((row, i) => {
    if (spec.loss === "mse") return false;
    if (spec.loss === "bce") return row.every((z, j) => z > 0 === targetRows[i]![j]! > 0.5);
    return row.indexOf(Math.max(...row)) === targetRows[i]![0];
  }).length;
  const sums = network.evaluateSync({ features, targets });
  expect(sums.examples).toBe(EXAMPLES);
  expect(sums.correct).toBe(correct);
  expectClose([sums.loss / EXAMPLES], [referenceMeanLoss(spec, parameters, rows, targetRows)], 1e-5);

  const gradient = network.gradient({ features, targets, random: RANDOM });
  expectClose(gradient, referenceGradient(spec, parameters, rows, targetRows, STEP), 1e-5);
  for (const { name, offset, length } of network.layout.entries) {
    // A gradient that is zero all over would hide what a comparison of small numbers cannot see.
    const isMoved = gradient.subarray(offset, offset + length).some((value) => value !== 0);
    expect(`${name} ${isMoved}`).toBe(`${name} ${!name.includes("running")}`);
  }
}
