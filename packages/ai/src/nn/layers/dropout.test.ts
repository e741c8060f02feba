import { beforeAll, describe, expect, it } from "vitest";
import { createNetwork, type FitOptions, initialParameters, type Kernel, loadKernel, type NetworkSpec } from "../index.ts";

const SPEC: NetworkSpec = {
  inputLength: 40,
  layers: [
    { kind: "dropout", rate: 0.25 },
    { kind: "dense", units: 30 },
    { kind: "relu" },
    { kind: "dropout", rate: 0.5 },
    { kind: "dense", units: 3 },
  ],
  loss: "softmax-cross-entropy",
};
const COUNT = 24;
const features = Float32Array.from({ length: COUNT * 40 }, (_, i) => ((i * 37) % 101) / 101);
const targets = Uint8Array.from({ length: COUNT }, (_, i) => i % 3);
const order = Uint32Array.from({ length: COUNT }, (_, i) => i);
const random = { seed: 1, path: ["dropout", "ash", 1] } as const;
const options: FitOptions = { features, targets, order, batchSize: 8, optimiser: { kind: "sgd", learningRate: 0.1, momentum: 0.5 }, random };

let kernel: Kernel;
beforeAll(async () => {
  kernel = await loadKernel();
});

function fitted(changes: Partial<FitOptions> = {}): string {
  const network = createNetwork(kernel, SPEC, { maxBatch: 8 });
  network.load(initialParameters(SPEC, 1));
  network.fitSync({ ...options, ...changes });
  return network.save().join();
}

describe("dropout", () => {
  it("is the same for the same seed, party, round and step, and another otherwise", () => {
    const fits = [
      fitted(),
      fitted({ random: { seed: 2, path: ["dropout", "ash", 1] } }),
      fitted({ random: { seed: 1, path: ["dropout", "birch", 1] } }),
      fitted({ random: { seed: 1, path: ["dropout", "ash", 2] } }),
    ];
    expect(fitted()).toBe(fits[0]);
    expect(new Set(fits).size).toBe(fits.length);
  });

  it("goes on with the steps where the optimiser does", () => {
    const network = createNetwork(kernel, SPEC, { maxBatch: 8 });
    network.load(initialParameters(SPEC, 1));
    network.fitSync({ ...options, order: order.subarray(0, 16) });
    network.fitSync({ ...options, order: order.subarray(16), keepOptimiserState: true });
    expect(network.save().join()).toBe(fitted());
  });

  it("drops its share of the values, others in every step, round, layer and place, and keeps the mean", () => {
    const rows = 64;
    const width = 500;
    const data = { features: new Float32Array(rows * width).fill(1), targets: new Float32Array(rows * width) };
    const everything = Uint32Array.from({ length: rows }, (_, i) => i);
    /** The loss against 0 is the mean of the squared outputs: the share that is kept, divided by (share it should be)². */
    const kept = (layers: NetworkSpec["layers"], share: number, batchSize: number, round: number): readonly number[] => {
      const shares: number[] = [];
      let before = 0;
      createNetwork(kernel, { inputLength: width, layers, loss: "mse" }, { maxBatch: rows }).fitSync({
        ...options,
        ...data,
        order: everything,
        batchSize,
        random: { seed: 1, path: [round] },
        onBatch({ loss }) {
          shares.push(((loss - before) / batchSize) * share ** 2);
          before = loss;
        },
      });
      return shares;
    };
    // Five standard errors of the share of 32,000 values that is kept.
    const near = (value: number, share: number) => Math.abs(value - share) < 5 * Math.sqrt((share * (1 - share)) / (rows * width));

    const rounds = [1, 2, 3].flatMap((round) => kept([{ kind: "dropout", rate: 0.3 }], 0.7, rows, round));
    expect(rounds.every((value) => near(value, 0.7))).toBe(true);
    expect(new Set(rounds).size).toBe(3);
    const steps = kept([{ kind: "dropout", rate: 0.3 }], 0.7, 1, 1);
    expect(new Set(steps).size).toBeGreaterThan(rows / 4);
    const [twice] = kept(
      [
        { kind: "dropout", rate: 0.5 },
        { kind: "dropout", rate: 0.5 },
      ],
      0.25,
      rows,
      1,
    );
    expect(near(twice!, 0.25)).toBe(true);
  });

  it("does nothing in evaluation and prediction, and nothing at rate 0", () => {
    const plain: NetworkSpec = { ...SPEC, layers: SPEC.layers.filter(({ kind }) => kind !== "dropout") };
    const flat = initialParameters(SPEC, 1);
    const [network, without] = [createNetwork(kernel, SPEC, { maxBatch: 8 }), createNetwork(kernel, plain, { maxBatch: 8 })];
    network.load(flat);
    without.load(flat);
    expect(network.predict(features)).toEqual(without.predict(features));
    expect(network.evaluateSync({ features, targets })).toEqual(without.evaluateSync({ features, targets }));
    const idle = createNetwork(
      kernel,
      { ...SPEC, layers: SPEC.layers.map((layer) => (layer.kind === "dropout" ? { ...layer, rate: 0 } : layer)) },
      { maxBatch: 8 },
    );
    idle.load(flat);
    idle.fitSync(options);
    without.fitSync(options);
    expect(idle.save()).toEqual(without.save());
  });

  it("refuses to train without a stream, and rates that are none", () => {
    const network = createNetwork(kernel, SPEC, { maxBatch: 8 });
    const { random: _left, ...rest } = options;
    expect(() => network.fitSync(rest)).toThrow(
      expect.objectContaining({ code: "USAGE", message: expect.stringMatching(/draw random numbers/u) as string }),
    );
    expect(() => network.gradient({ features: features.subarray(0, 40), targets: targets.subarray(0, 1) })).toThrow(/layer0 draws random numbers/u);
    for (const rate of [1, -0.1, NaN]) {
      expect(() => createNetwork(kernel, { ...SPEC, layers: [{ kind: "dropout", rate }] }, { maxBatch: 1 })).toThrow(
        expect.objectContaining({ code: "SPEC_INVALID", message: expect.stringMatching(/^Layer 0 \(dropout\) has the rate/u) as string }),
      );
    }
  });
});
