import { beforeAll, describe, expect, it } from "vitest";
import { randomStream } from "../random/index.ts";
import { createNetwork, initialParameters, type Kernel, loadKernel, type Network, type NetworkSpec, type OptimiserSpec } from "./index.ts";
import { referenceGradient, referenceMeanLoss, referenceOutputs, type ReferenceParameters } from "./test/reference.ts";

const EXAMPLES = 7;

let kernel: Kernel;
beforeAll(async () => {
  kernel = await loadKernel();
});

interface Problem {
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

function problem(spec: NetworkSpec, seed = 11): Problem {
  const random = randomStream(seed, "problem");
  const network = createNetwork(kernel, spec, { maxBatch: EXAMPLES + 2 });
  const flat = initialParameters(spec, seed);
  // Biases start at zero; a test of them needs others.
  for (let i = 0; i < flat.length; i += 1) flat[i] = flat[i]! + (random.uniform() - 0.5) / 4;
  network.load(flat);
  const features = Float32Array.from({ length: EXAMPLES * spec.inputLength }, () => random.uniform() * 2 - 1);
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
function expectClose(got: ArrayLike<number>, want: ArrayLike<number>, tolerance: number): void {
  expect(got.length).toBe(want.length);
  for (let i = 0; i < want.length; i += 1) {
    const error = Math.abs(got[i]! - want[i]!) / Math.max(Math.abs(want[i]!), 0.1);
    if (!(error <= tolerance)) expect.fail(`Number ${i} is ${got[i]}, not ${want[i]}.`);
  }
}

const dense = (units: number) => ({ kind: "dense", units }) as const;

const NETWORKS: readonly (readonly [string, NetworkSpec])[] = [
  ["softmax regression", { inputLength: 5, layers: [dense(3)], loss: "softmax-cross-entropy" }],
  ["relu", { inputLength: 9, layers: [dense(6), { kind: "relu" }, dense(4)], loss: "softmax-cross-entropy" }],
  ["tanh", { inputLength: 3, layers: [dense(10), { kind: "tanh" }, dense(1)], loss: "mse" }],
  ["sigmoid", { inputLength: 4, layers: [dense(5), { kind: "sigmoid" }, dense(3)], loss: "bce" }],
  [
    "three hidden layers",
    {
      inputLength: 6,
      layers: [dense(8), { kind: "relu" }, dense(9), { kind: "tanh" }, dense(5), { kind: "sigmoid" }, dense(17)],
      loss: "softmax-cross-entropy",
    },
  ],
  [
    "activations in a row, first and last",
    { inputLength: 6, layers: [{ kind: "tanh" }, dense(4), { kind: "tanh" }, { kind: "sigmoid" }], loss: "mse" },
  ],
  ["one output, one unit", { inputLength: 1, layers: [dense(1), { kind: "relu" }, dense(1)], loss: "bce" }],
];

describe.each(NETWORKS)("%s", (_name, spec) => {
  it("has the outputs, the loss and the gradient of the formulas", () => {
    const { network, parameters, features, targets, rows, targetRows } = problem(spec);
    const outputs = rows.map((row) => referenceOutputs(spec, parameters, row));
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

    expectClose(network.gradient({ features, targets }), referenceGradient(spec, parameters, rows, targetRows), 1e-5);
  });
});

/** The update rules in float64, on gradients by finite differences. */
function referenceTraining({ spec, parameters, rows, targetRows }: Problem, optimiser: OptimiserSpec, proximalMu: number, steps: number): number[] {
  const names = [...parameters.keys()];
  const flat = () => names.flatMap((name) => Array.from(parameters.get(name)!));
  const start = flat();
  const first = start.map(() => 0);
  const second = start.map(() => 0);
  for (let step = 1; step <= steps; step += 1) {
    const gradient = referenceGradient(spec, parameters, rows, targetRows);
    const next = flat().map((w, i) => {
      const g = gradient[i]! + (optimiser.weightDecay ?? 0) * w + proximalMu * (w - start[i]!);
      if (optimiser.kind === "sgd") {
        first[i] = (optimiser.momentum ?? 0) * first[i]! + g;
        return w - optimiser.learningRate * first[i];
      }
      const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = optimiser;
      first[i] = beta1 * first[i]! + (1 - beta1) * g;
      second[i] = beta2 * second[i]! + (1 - beta2) * g * g;
      const mean = first[i] / (1 - beta1 ** step);
      const square = second[i] / (1 - beta2 ** step);
      return w - (optimiser.learningRate * mean) / (Math.sqrt(square) + epsilon);
    });
    let at = 0;
    for (const name of names) {
      const values = parameters.get(name)!;
      values.set(next.slice(at, at + values.length));
      at += values.length;
    }
  }
  return flat();
}

const OPTIMISERS: readonly (readonly [string, OptimiserSpec, number])[] = [
  ["sgd", { kind: "sgd", learningRate: 0.3 }, 0],
  ["sgd with momentum", { kind: "sgd", learningRate: 0.1, momentum: 0.9 }, 0],
  ["sgd with weight decay", { kind: "sgd", learningRate: 0.2, weightDecay: 0.05 }, 0],
  ["sgd with a proximal term", { kind: "sgd", learningRate: 0.2 }, 0.7],
  ["sgd with everything", { kind: "sgd", learningRate: 0.1, momentum: 0.5, weightDecay: 0.05 }, 0.7],
  ["adam", { kind: "adam", learningRate: 0.02, epsilon: 1e-3 }, 0],
  ["adam with everything", { kind: "adam", learningRate: 0.02, beta1: 0.8, beta2: 0.95, epsilon: 1e-3, weightDecay: 0.05 }, 0.7],
];

describe.each(OPTIMISERS)("%s", (_name, optimiser, proximalMu) => {
  it("takes the steps of its formula, from zero state at each call", () => {
    const spec: NetworkSpec = { inputLength: 5, layers: [dense(6), { kind: "tanh" }, dense(3)], loss: "softmax-cross-entropy" };
    const given = problem(spec, 5);
    const { network, features, targets } = given;
    const before = network.save();
    const pass = Uint32Array.from({ length: EXAMPLES }, (_, i) => i);
    const fit = () =>
      network.fitSync({ features, targets, order: Array.from({ length: 4 }, () => pass), batchSize: EXAMPLES, optimiser, proximalMu });
    fit();
    const after = network.save();
    expectClose(after, referenceTraining(given, optimiser, proximalMu, 4), 5e-5);
    network.load(before);
    fit();
    expect(network.save()).toEqual(after);
  });
});
