// A short training of every layer, loss and optimiser, hashed. Hosts of any kind must print the same.
import { sha256 } from "@noble/hashes/sha2.js";
import { randomStream } from "../../random/index.ts";
import { createNetwork, initialParameters, loadKernel, type MetricSums, type NetworkSpec, type OptimiserSpec } from "../index.ts";

const COUNT = 75;

const CASES: readonly { readonly spec: NetworkSpec; readonly optimiser: OptimiserSpec; readonly proximalMu?: number; readonly bytes?: boolean }[] = [
  {
    spec: { inputLength: 37, layers: [{ kind: "dense", units: 21 }, { kind: "relu" }, { kind: "dense", units: 5 }], loss: "softmax-cross-entropy" },
    optimiser: { kind: "sgd", learningRate: 0.1 },
    bytes: true,
  },
  {
    spec: {
      inputLength: 300,
      layers: [{ kind: "dense", units: 18 }, { kind: "tanh" }, { kind: "dense", units: 9 }, { kind: "sigmoid" }, { kind: "dense", units: 3 }],
      loss: "bce",
    },
    optimiser: { kind: "adam", learningRate: 0.01, weightDecay: 0.001 },
    proximalMu: 0.05,
  },
  {
    spec: { inputLength: 6, layers: [{ kind: "dense", units: 11 }, { kind: "sigmoid" }, { kind: "dense", units: 2 }], loss: "mse" },
    optimiser: { kind: "sgd", learningRate: 0.05, momentum: 0.9, weightDecay: 0.01 },
    proximalMu: 0.1,
  },
];

/** SHA-256 (hex) over the parameters, predictions and metric sums of all cases. */
export async function goldenTrainingHash(): Promise<string> {
  const kernel = await loadKernel();
  const hash = sha256.create();
  for (const [index, { spec, optimiser, proximalMu = 0, bytes = false }] of CASES.entries()) {
    const random = randomStream(7, "golden-training", index);
    const network = createNetwork(kernel, spec, { maxBatch: 16 });
    const size = COUNT * spec.inputLength;
    const features = bytes
      ? Uint8Array.from({ length: size }, () => (random.below(3) === 0 ? random.below(256) : 0))
      : Float32Array.from({ length: size }, () => random.uniform() * 2 - 1);
    const classes = spec.loss === "softmax-cross-entropy";
    const targets = classes
      ? Uint8Array.from({ length: COUNT }, () => random.below(network.outputLength))
      : Float32Array.from({ length: COUNT * network.outputLength }, () => (spec.loss === "bce" ? random.below(2) : random.uniform()));
    const scale = bytes ? { featureScale: 1 / 255 } : {};
    const order = [0, 1].map(() => random.shuffle(Uint32Array.from({ length: COUNT }, (_, i) => i)));
    network.load(initialParameters(spec, 3));
    const fitted = await network.fit({ features, ...scale, targets, order, batchSize: 16, optimiser, proximalMu, sliceMs: 0 });
    const judged = await network.evaluate({ features, ...scale, targets });
    for (const floats of [network.save(), network.predict(features, scale.featureScale)]) hash.update(new Uint8Array(floats.buffer));
    for (const sums of [fitted, judged]) hash.update(sumBytes(sums));
  }
  return Array.from(hash.digest(), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function sumBytes({ examples, loss, correct }: MetricSums): Uint8Array {
  const view = new DataView(new ArrayBuffer(24));
  for (const [i, value] of [examples, loss, correct].entries()) view.setFloat64(i * 8, value, true);
  return new Uint8Array(view.buffer);
}
