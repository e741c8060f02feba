import { beforeAll, expect, it } from "vitest";
import { createNetwork, type Kernel, loadKernel, type NetworkSpec } from "../index.ts";

const SPEC: NetworkSpec = { inputLength: 3, layers: [{ kind: "embedding", vocabulary: 4, dimensions: 2 }], loss: "mse" };

let kernel: Kernel;
beforeAll(async () => {
  kernel = await loadKernel();
});

it("gives [dimensions, length], channels first", () => {
  const network = createNetwork(kernel, SPEC, { maxBatch: 2 });
  network.load(Float32Array.from([0, 1, 10, 11, 20, 21, 30, 31]));
  expect(Array.from(network.predict(Float32Array.from([3, 0, 1, 2, 2, 3])))).toEqual([30, 0, 10, 31, 1, 11, 20, 20, 30, 21, 21, 31]);
  expect(Array.from(network.predict(Uint8Array.from([3, 0, 1])))).toEqual([30, 0, 10, 31, 1, 11]);
});

it.each([4, -1, 0.5, NaN, Infinity])("refuses the token %d by name and lets the network train afterwards", (token) => {
  const network = createNetwork(kernel, SPEC, { maxBatch: 2 });
  const targets = new Float32Array(12);
  const fit = (features: Float32Array) =>
    network.fitSync({ features, targets, order: Uint32Array.from([0, 1]), batchSize: 2, optimiser: { kind: "sgd", learningRate: 0.1 } });
  expect(() => fit(Float32Array.from([0, 1, 2, 3, token, 0]))).toThrow(
    expect.objectContaining({ code: "DATA_INVALID", message: `An example has the token ${token} at place 1; tokens are whole numbers from 0 to 3.` }),
  );
  expect(fit(Float32Array.from([0, 1, 2, 3, 3, 0])).examples).toBe(2);
});
