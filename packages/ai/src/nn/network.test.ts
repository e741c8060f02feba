import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { beforeAll, describe, expect, it } from "vitest";
import { randomStream } from "../random/index.ts";
import {
  createKernel,
  createNetwork,
  type Examples,
  type FitOptions,
  initialParameters,
  type Kernel,
  loadKernel,
  type MetricSums,
  type NetworkSpec,
} from "./index.ts";

const SPEC: NetworkSpec = {
  inputLength: 13,
  layers: [{ kind: "dense", units: 11 }, { kind: "relu" }, { kind: "dense", units: 3 }],
  loss: "softmax-cross-entropy",
};
const COUNT = 50;
const random = randomStream(2, "network-test");
const bytes = Uint8Array.from({ length: COUNT * SPEC.inputLength }, () => random.below(256));
const labels = Uint8Array.from({ length: COUNT }, () => random.below(3));
const scale = Math.fround(1 / 255);
const floats = Float32Array.from(bytes, (byte) => byte * scale);
const examples: Examples = { features: floats, targets: labels };
const inOrder = Uint32Array.from({ length: COUNT }, (_, i) => i);
const options: FitOptions = { ...examples, order: inOrder, batchSize: 8, optimiser: { kind: "sgd", learningRate: 0.1, momentum: 0.9 } };

let kernel: Kernel;
beforeAll(async () => {
  kernel = await loadKernel();
});

function fresh(maxBatch = 8, spec = SPEC) {
  const network = createNetwork(kernel, spec, { maxBatch });
  network.load(initialParameters(spec, 9));
  return network;
}

/** Parameters and sums after a fit of a fresh network. */
function fitted(changes: Partial<FitOptions> = {}, maxBatch = 8): readonly [Float32Array, MetricSums] {
  const network = fresh(maxBatch);
  const sums = network.fitSync({ ...options, ...changes });
  return [network.save(), sums];
}

describe("kernels", () => {
  it("are named by the hash of their file, and say so when they are something else", async () => {
    expect(kernel.build).toMatch(/^baseline-[0-9a-f]{12}$/u);
    expect(await loadKernel()).toBe(kernel);
    await expect(createKernel(new Uint8Array([1, 2, 3]))).rejects.toMatchObject({
      code: "INTERNAL",
      message: expect.stringContaining("do not load"),
    });
  });

  it("go to another thread without being compiled again", async () => {
    const source = `
      const { parentPort, workerData: { build, module, heapBase } } = require("node:worker_threads");
      const memory = new WebAssembly.Memory({ initial: 1 });
      const { exports } = new WebAssembly.Instance(module, { env: { memory } });
      parentPort.postMessage([build, exports.heapBase() === heapBase]);
    `;
    const worker = new Worker(source, { eval: true, workerData: kernel });
    try {
      const [answer] = (await once(worker, "message")) as [unknown];
      expect(answer).toEqual([kernel.build, true]);
    } finally {
      await worker.terminate();
    }
  });
});

describe("fit", () => {
  it("learns what can be learnt", () => {
    const separable = Uint8Array.from({ length: COUNT }, (_, i) => (bytes[i * SPEC.inputLength]! > 128 ? 1 : 0));
    const network = fresh();
    const before = network.evaluateSync({ ...examples, targets: separable });
    network.fitSync({ ...options, targets: separable, order: Array.from({ length: 60 }, () => inOrder) });
    const after = network.evaluateSync({ ...examples, targets: separable });
    expect(after.correct).toBe(COUNT);
    expect(after.loss).toBeLessThan(before.loss / 20);
  });

  it("gives the same bits for bytes with a scale as for the numbers they stand for", () => {
    expect(fitted({ features: bytes, featureScale: 1 / 255 })).toEqual(fitted());
  });

  it("gives the same bits whatever the network could hold", () => {
    expect(fitted({}, 64)).toEqual(fitted());
  });

  it("gives the same bits asynchronously, however the slices fall", async () => {
    for (const sliceMs of [0, 40]) {
      const network = fresh();
      const sums = await network.fit({ ...options, sliceMs });
      expect([network.save(), sums]).toEqual(fitted());
    }
  });

  it("takes classes in any type of whole numbers", () => {
    expect(fitted({ targets: Uint32Array.from(labels) })).toEqual(fitted());
    expect(fitted({ targets: Int32Array.from(labels) })).toEqual(fitted());
  });

  it.each([1, 3, 7, 8])("works through batches of %i and a smaller last one", (batchSize) => {
    const seen: number[] = [];
    const [, sums] = fitted({ batchSize, onBatch: ({ examples: count }) => seen.push(count) });
    expect(seen).toEqual(Array.from({ length: Math.ceil(COUNT / batchSize) }, (_, i) => Math.min((i + 1) * batchSize, COUNT)));
    expect(sums.examples).toBe(COUNT);
    // A batch of the network's size and then a partial one: what the full one left must not be seen.
    const network = fresh();
    const tail = network.fitSync({ ...options, order: inOrder.subarray(0, batchSize), batchSize });
    expect(tail).toEqual(fresh().evaluateSync({ features: floats.subarray(0, batchSize * 13), targets: labels.subarray(0, batchSize) }));
  });

  it("is the same as its passes one by one when the optimiser's state is kept, and not when it is not", () => {
    const reversed = inOrder.toReversed();
    const [together, sums] = fitted({ order: [inOrder, reversed] });
    const network = fresh();
    network.fitSync(options);
    expect(network.fitSync({ ...options, order: reversed, keepOptimiserState: true })).toEqual(sums);
    expect(network.save()).toEqual(together);
    const forgetful = fresh();
    forgetful.fitSync(options);
    forgetful.fitSync({ ...options, order: reversed });
    expect(forgetful.save()).not.toEqual(together);
  });

  it("learns only from the examples it is given the order of", () => {
    const some = Uint32Array.from([3, 1, 4, 1, 5]);
    const picked: Examples = {
      features: Float32Array.from(Array.from(some).flatMap((i) => Array.from(floats.subarray(i * 13, i * 13 + 13)))),
      targets: Uint8Array.from(some, (i) => labels[i]!),
    };
    expect(fitted({ order: some })).toEqual(fitted({ ...picked, order: Uint32Array.from([0, 1, 2, 3, 4]) }));
    expect(fitted({ order: new Uint32Array() })).toEqual([initialParameters(SPEC, 9), { examples: 0, loss: 0, correct: 0 }]);
  });

  it("holds parameters near where they began when the proximal term is strong", () => {
    const distance = ([parameters]: readonly [Float32Array, MetricSums]) => {
      const start = initialParameters(SPEC, 9);
      return parameters.reduce((sum, w, i) => sum + (w - start[i]!) ** 2, 0);
    };
    expect(distance(fitted({ proximalMu: 2 }))).toBeLessThan(distance(fitted()) / 4);
  });

  it("stops when its signal says so, and can be used again", async () => {
    const network = fresh();
    const controller = new AbortController();
    const order = Array.from({ length: 100 }, () => inOrder);
    const work = network.fit({ ...options, order, sliceMs: 0, signal: controller.signal, onBatch: () => controller.abort(new Error("enough")) });
    await expect(work).rejects.toThrow("enough");
    await expect(network.fit({ ...options, signal: controller.signal })).rejects.toThrow("enough");
    network.load(initialParameters(SPEC, 9));
    const sums = await network.fit(options);
    expect([network.save(), sums]).toEqual(fitted());
  });

  it("lets timers run meanwhile, and refuses a second fit or a load until it is done", async () => {
    const network = fresh();
    let ticks = 0;
    const timer = setInterval(() => (ticks += 1), 1);
    const work = network.fit({ ...options, order: Array.from({ length: 300 }, () => inOrder), sliceMs: 1 });
    await expect(network.fit(options)).rejects.toMatchObject({ code: "USAGE" });
    expect(() => network.load(initialParameters(SPEC, 9))).toThrow(expect.objectContaining({ code: "USAGE" }));
    await work;
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(0);
    expect(network.fitSync(options).examples).toBe(COUNT);
  });

  it("shows a NaN among the features in its sums instead of hiding it", () => {
    const broken = floats.slice();
    broken[20] = NaN;
    expect(fitted({ features: broken })[1].loss).toBeNaN();
  });

  it.each([
    [{ batchSize: 9 }, "USAGE", /batch size is 9; this network takes from 1 to 8/u],
    [{ batchSize: 0 }, "USAGE", /batch size is 0/u],
    [{ proximalMu: -1 }, "USAGE", /proximalMu is -1/u],
    [{ order: Uint32Array.from([0, 50]) }, "USAGE", /names example 50; there are 50/u],
    [{ optimiser: { kind: "lion" } }, "USAGE", /no optimiser "lion"; there are sgd, adam/u],
    [{ optimiser: { kind: "sgd", learningRate: NaN } }, "USAGE", /learningRate is NaN/u],
    [{ optimiser: { kind: "adam", learningRate: 0.1, beta2: 1 } }, "USAGE", /beta2 is 1/u],
    [{ features: floats.subarray(1) }, "DATA_INVALID", /649 features are no whole number of examples of 13/u],
    [{ features: floats, featureScale: 0.5 }, "DATA_INVALID", /bytes only/u],
    [{ targets: labels.subarray(1) }, "DATA_INVALID", /50 examples need 50 targets; there are 49/u],
    [{ targets: Uint8Array.from(labels).fill(3, 7, 8) }, "DATA_INVALID", /Example 7 has the class 3; the network tells 3 apart/u],
    [{ targets: Int32Array.from(labels).fill(-1, 2, 3) }, "DATA_INVALID", /Example 2 has the class -1/u],
    [{ targets: Float32Array.from(labels) }, "DATA_INVALID", /must be whole numbers/u],
  ])("refuses wrong input %#, saying what it is", (changes, code, message) => {
    const network = fresh();
    const wrong = { ...options, ...changes } as FitOptions;
    expect(() => network.fitSync(wrong)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
    expect(network.save()).toEqual(initialParameters(SPEC, 9));
  });
});

describe("evaluate and predict", () => {
  it("give the same sums and outputs whatever the batch, and change nothing", async () => {
    const sums = fresh(64).evaluateSync(examples);
    for (const maxBatch of [1, 7, 8, 50]) {
      const network = fresh(maxBatch);
      expect(network.evaluateSync(examples)).toEqual(sums);
      expect(await network.evaluate({ ...examples, sliceMs: 0 })).toEqual(sums);
      expect(network.predict(floats)).toEqual(fresh(64).predict(floats));
      expect(network.predict(bytes, 1 / 255)).toEqual(network.predict(floats));
      expect(network.save()).toEqual(initialParameters(SPEC, 9));
    }
    expect(fresh().evaluateSync({ features: new Float32Array(), targets: new Uint8Array() })).toEqual({ examples: 0, loss: 0, correct: 0 });
    expect(fresh().predict(new Float32Array())).toHaveLength(0);
  });

  it("tell each batch's predictions while they judge, and judge the same", async () => {
    const network = fresh(7);
    const sums = network.evaluateSync(examples);
    for (const judge of ["evaluate", "evaluateSync"] as const) {
      const told = new Float32Array(COUNT * 3);
      const onPredictions = (predictions: Float32Array, first: number) => told.set(predictions, first * 3);
      expect(await network[judge]({ ...examples, onPredictions })).toEqual(sums);
      expect(told).toEqual(network.predict(examples.features, examples.featureScale));
    }
  });

  it("count what predictions say", () => {
    const network = fresh();
    const predictions = network.predict(floats);
    const rows = Array.from({ length: COUNT }, (_, i) => Array.from(predictions.subarray(i * 3, i * 3 + 3)));
    for (const row of rows) expect(row[0]! + row[1]! + row[2]!).toBeCloseTo(1, 6);
    const correct = rows.filter((row, i) => row.indexOf(Math.max(...row)) === labels[i]).length;
    const loss = rows.reduce((sum, row, i) => sum - Math.log(row[labels[i]!]!), 0);
    const sums = network.evaluateSync(examples);
    expect(sums.correct).toBe(correct);
    expect(sums.loss).toBeCloseTo(loss, 4);
  });

  it("stay finite for outputs of any size", () => {
    for (const loss of ["softmax-cross-entropy", "bce"] as const) {
      const spec: NetworkSpec = { inputLength: 2, layers: [{ kind: "dense", units: 2 }], loss };
      const network = createNetwork(kernel, spec, { maxBatch: 4 });
      // bias 2, then weight [2, 2]: outputs 1e4·x.
      network.load(Float32Array.from([0, 0, 1e4, 0, 0, 1e4]));
      const targets = loss === "bce" ? Float32Array.from([1, 0]) : Uint8Array.from([0]);
      const right = network.evaluateSync({ features: Float32Array.from([1, -1]), targets });
      expect(right).toEqual({ examples: 1, loss: 0, correct: 1 });
      const wrong = network.evaluateSync({ features: Float32Array.from([-1, 1]), targets });
      expect(wrong).toEqual({ examples: 1, loss: loss === "bce" ? 1e4 : 2e4, correct: 0 });
      expect(network.gradient({ features: Float32Array.from([-1, 1]), targets }).every(Number.isFinite)).toBe(true);
    }
  });
});

describe("a network", () => {
  it("saves what it loaded and shares nothing with another", () => {
    const one = fresh();
    const other = fresh();
    one.fitSync(options);
    expect(other.save()).toEqual(initialParameters(SPEC, 9));
    const into = new Float32Array(one.layout.length);
    expect(one.save(into)).toBe(into);
    expect(one.kernelBuild).toBe(kernel.build);
    expect(() => one.load(new Float32Array(3))).toThrow(expect.objectContaining({ code: "USAGE" }));
    expect(() => createNetwork(kernel, SPEC, { maxBatch: 0 })).toThrow(expect.objectContaining({ code: "USAGE" }));
  });

  it("can be made many times", () => {
    const networks = Array.from({ length: 100 }, () => fresh());
    expect(new Set(networks.map((network) => network.evaluateSync(examples).loss)).size).toBe(1);
  });
});
