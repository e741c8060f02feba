import { beforeAll, describe, expect, it } from "vitest";
import { createNetwork, type FitOptions, inferShapes, initialParameters, type Kernel, loadKernel, type Network, type NetworkSpec } from "../index.ts";

const SPEC: NetworkSpec = {
  inputLength: 6,
  inputShape: [2, 3],
  layers: [
    { kind: "batch-norm", momentum: 0.25 },
    { kind: "dense", units: 2 },
  ],
  loss: "softmax-cross-entropy",
};
const features = Float32Array.from({ length: 24 }, (_, i) => ((i * 7) % 11) + (i % 6 < 3 ? 0 : 20));
const targets = Uint8Array.from([0, 1, 1, 0]);
const options: FitOptions = {
  features,
  targets,
  order: Uint32Array.from([0, 1, 2, 3]),
  batchSize: 4,
  optimiser: { kind: "adam", learningRate: 0.1, weightDecay: 0.5 },
  proximalMu: 0.3,
};

let kernel: Kernel;
beforeAll(async () => {
  kernel = await loadKernel();
});

function fresh(): Network {
  const network = createNetwork(kernel, SPEC, { maxBatch: 4 });
  network.load(initialParameters(SPEC, 1));
  return network;
}

function tensor(network: Network, name: string): number[] {
  const { offset, length } = network.layout.entries.find((entry) => entry.name === name)!;
  return Array.from(network.save().subarray(offset, offset + length));
}

describe("batch norm", () => {
  const moments = [0, 1].map((channel) => {
    const values = Array.from(features).filter((_, i) => Math.floor((i % 6) / 3) === channel);
    const mean = values.reduce((sum, x) => sum + x, 0) / 12;
    return { mean, variance: values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 12 };
  });

  it("keeps running statistics by exponential average; no optimiser, decay or proximal term moves them", () => {
    const network = fresh();
    expect([tensor(network, "layer0.runningMean"), tensor(network, "layer0.runningVariance")]).toEqual([
      [0, 0],
      [1, 1],
    ]);
    const want = moments.map(() => ({ mean: 0, variance: 1 }));
    for (let pass = 0; pass < 3; pass += 1) {
      network.fitSync(options);
      for (const [c, running] of want.entries()) {
        running.mean += 0.25 * (moments[c]!.mean - running.mean);
        running.variance += 0.25 * (moments[c]!.variance - running.variance);
        expect(tensor(network, "layer0.runningMean")[c]).toBeCloseTo(running.mean, 4);
        expect(tensor(network, "layer0.runningVariance")[c]).toBeCloseTo(running.variance, 4);
      }
    }
    expect(tensor(network, "layer0.weight")).not.toEqual([1, 1]);
  });

  it("evaluates by the running statistics, so an example's output does not depend on its batch", () => {
    const network = fresh();
    network.fitSync(options);
    const together = network.predict(features);
    const alone = [0, 1, 2, 3].flatMap((row) => Array.from(network.predict(features.subarray(row * 6, row * 6 + 6))));
    expect(Array.from(together)).toEqual(alone);
    const before = network.save();
    network.evaluateSync({ features, targets });
    network.gradient({ features, targets });
    expect(network.save()).toEqual(before);
  });

  it("says which tensors are not trained", () => {
    const [norm, dense] = inferShapes(SPEC.layers, [2, 3]);
    expect(norm!.parameters).toEqual([
      { name: "layer0.bias", shape: [2], trained: true },
      { name: "layer0.runningMean", shape: [2], trained: false },
      { name: "layer0.runningVariance", shape: [2], trained: false },
      { name: "layer0.weight", shape: [2], trained: true },
    ]);
    expect(dense!.parameters.every(({ trained }) => trained)).toBe(true);
  });
});
