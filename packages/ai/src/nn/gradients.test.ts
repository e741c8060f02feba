import { beforeAll, describe, expect, it } from "vitest";
import { type Kernel, KERNEL_BUILDS, loadKernel, type NetworkSpec, type OptimiserSpec } from "./index.ts";
import { EXAMPLES, expectClose, expectFormulas, problem, type Problem, STEP } from "./test/gradient-problem.ts";
import { referenceGradient } from "./test/reference.ts";

let kernel: Kernel;
beforeAll(async () => {
  kernel = await loadKernel();
});

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

describe.each(KERNEL_BUILDS)("with the build %s", (build) => {
  it.each(NETWORKS)("%s: outputs, loss and gradient are those of the formulas", async (_name, spec) => {
    expectFormulas(await loadKernel({ build }), spec);
  });
});

/** The update rules in float64, on gradients by finite differences. */
function referenceTraining(
  { spec, parameters, rows, targetRows }: Problem,
  optimiser: OptimiserSpec,
  proximalMu: number,
  steps: number,
  rateFactors: readonly number[] = [],
): number[] {
  const names = [...parameters.keys()];
  const flat = () => names.flatMap((name) => Array.from(parameters.get(name)!));
  const start = flat();
  const first = start.map(() => 0);
  const second = start.map(() => 0);
  for (let step = 1; step <= steps; step += 1) {
    const gradient = referenceGradient(spec, parameters, rows, targetRows, STEP);
    const next = flat().map((w, i) => {
      const penalty = optimiser.kind === "adamw" ? 0 : (optimiser.weightDecay ?? 0);
      const g = gradient[i]! + penalty * w + proximalMu * (w - start[i]!);
      const learningRate = optimiser.learningRate * (rateFactors[step - 1] ?? 1);
      if (optimiser.kind === "sgd") {
        first[i] = (optimiser.momentum ?? 0) * first[i]! + g;
        return w - learningRate * first[i];
      }
      const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = optimiser;
      first[i] = beta1 * first[i]! + (1 - beta1) * g;
      second[i] = beta2 * second[i]! + (1 - beta2) * g * g;
      const mean = first[i] / (1 - beta1 ** step);
      const square = second[i] / (1 - beta2 ** step);
      const kept = optimiser.kind === "adamw" ? 1 - learningRate * (optimiser.weightDecay ?? 0.01) : 1;
      return w * kept - (learningRate * mean) / (Math.sqrt(square) + epsilon);
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
  ["adamw", { kind: "adamw", learningRate: 0.02, epsilon: 1e-3, weightDecay: 3 }, 0],
  ["adamw as it comes", { kind: "adamw", learningRate: 0.02 }, 0],
  ["adamw with a proximal term", { kind: "adamw", learningRate: 0.02, beta1: 0.8, beta2: 0.95, epsilon: 1e-3, weightDecay: 3 }, 0.7],
  ["adam with everything", { kind: "adam", learningRate: 0.02, beta1: 0.8, beta2: 0.95, epsilon: 1e-3, weightDecay: 0.05 }, 0.7],
];

describe.each(OPTIMISERS)("%s", (_name, optimiser, proximalMu) => {
  it("takes the steps of its formula, from zero state at each call", () => {
    const spec: NetworkSpec = { inputLength: 5, layers: [dense(6), { kind: "tanh" }, dense(3)], loss: "softmax-cross-entropy" };
    const given = problem(kernel, spec, 5);
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

it.each(["sgd", "adam", "adamw"] as const)("a schedule multiplies the learning rate of %s step by step", (kind) => {
  const spec: NetworkSpec = { inputLength: 5, layers: [dense(3)], loss: "softmax-cross-entropy" };
  const given = problem(kernel, spec, 6);
  const { network, features, targets } = given;
  const pass = Uint32Array.from({ length: EXAMPLES }, (_, i) => i);
  const optimiser: OptimiserSpec = { kind, learningRate: 0.05, ...(kind === "sgd" ? { momentum: 0.5 } : { epsilon: 1e-3 }) };
  network.fitSync({
    features,
    targets,
    order: [pass, pass, pass, pass],
    batchSize: EXAMPLES,
    optimiser,
    schedule: { spec: { kind: "step", every: 2, factor: 0.25 }, from: 1 },
  });
  expectClose(network.save(), referenceTraining(given, optimiser, 0, 4, [1, 0.25, 0.25, 0.0625]), 5e-5);
});
