// Short trainings of every layer, loss, optimiser and schedule, hashed. Hosts of any kind must print the same.
import { sha256 } from "@noble/hashes/sha2.js";
import { randomStream } from "../../random/index.ts";
import {
  createNetwork,
  initialParameters,
  type KernelBuild,
  loadKernel,
  type MetricSums,
  type NetworkSpec,
  type OptimiserSpec,
  type ScheduleSpec,
} from "../index.ts";

const COUNT = 75;

interface Case {
  readonly spec: NetworkSpec;
  readonly optimiser: OptimiserSpec;
  readonly proximalMu?: number;
  readonly bytes?: boolean;
  readonly schedule?: ScheduleSpec;
}

const CONSTANT: ScheduleSpec = { kind: "constant" };

const DENSE: readonly Case[] = [
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

const IMAGES: readonly Case[] = [
  {
    spec: {
      inputLength: 9 * 11,
      inputShape: [1, 9, 11],
      layers: [
        { kind: "conv2d", channels: 6, size: 3, padding: 1 },
        { kind: "group-norm", groups: 3 },
        { kind: "relu" },
        { kind: "max-pool", size: 2 },
        {
          kind: "residual",
          layers: [
            { kind: "conv2d", channels: 10, size: 3, stride: [1, 2], padding: 1 },
            { kind: "group-norm", groups: 2 },
            { kind: "relu" },
            { kind: "dropout", rate: 0.2 },
          ],
          shortcut: [{ kind: "conv2d", channels: 10, size: 1, stride: [1, 2] }],
        },
        { kind: "relu" },
        { kind: "global-average-pool" },
        { kind: "dropout", rate: 0.5 },
        { kind: "dense", units: 4 },
      ],
      loss: "softmax-cross-entropy",
    },
    optimiser: { kind: "adamw", learningRate: 0.01 },
    schedule: { kind: "cosine", length: 12, floor: 0.1 },
    proximalMu: 0.05,
    bytes: true,
  },
  {
    spec: {
      inputLength: 3 * 6 * 7,
      inputShape: [3, 6, 7],
      layers: [
        { kind: "depthwise-conv2d", size: 3, padding: 1 },
        { kind: "conv2d", channels: 5, size: 1 },
        { kind: "batch-norm" },
        { kind: "tanh" },
        { kind: "average-pool", size: [2, 3], stride: 2, padding: 1 },
        { kind: "flatten" },
        { kind: "dense", units: 2 },
      ],
      loss: "bce",
    },
    optimiser: { kind: "sgd", learningRate: 0.05, momentum: 0.9, weightDecay: 0.01 },
    schedule: { kind: "step", every: 3, factor: 0.7 },
  },
  {
    spec: {
      inputLength: 5,
      layers: [
        { kind: "embedding", vocabulary: 9, dimensions: 6 },
        { kind: "group-norm", groups: 3 },
        { kind: "sigmoid" },
        { kind: "dense", units: 2 },
      ],
      loss: "mse",
    },
    optimiser: { kind: "adam", learningRate: 0.01 },
  },
];

/** SHA-256 (hex) over the parameters, predictions and metric sums of trainings of dense layers. */
export function goldenTrainingHash(): Promise<string> {
  return trainingHash(DENSE);
}

/** The same of trainings of convolutions and the layers around them; of another build than the baseline it is the host's. */
export function goldenImageTrainingHash(build: KernelBuild = "baseline"): Promise<string> {
  return trainingHash(IMAGES, build);
}

async function trainingHash(cases: readonly Case[], build: KernelBuild = "baseline"): Promise<string> {
  const kernel = await loadKernel({ build });
  const hash = sha256.create();
  for (const [index, { spec, optimiser, proximalMu = 0, bytes = false, schedule = CONSTANT }] of cases.entries()) {
    const [first] = spec.layers;
    const random = randomStream(7, "golden-training", index);
    const network = createNetwork(kernel, spec, { maxBatch: 16 });
    const size = COUNT * spec.inputLength;
    const features = bytes
      ? Uint8Array.from({ length: size }, () => (random.below(3) === 0 ? random.below(256) : 0))
      : Float32Array.from({ length: size }, () => (first?.kind === "embedding" ? random.below(first.vocabulary) : random.uniform() * 2 - 1));
    const classes = spec.loss === "softmax-cross-entropy";
    const targets = classes
      ? Uint8Array.from({ length: COUNT }, () => random.below(network.outputLength))
      : Float32Array.from({ length: COUNT * network.outputLength }, () => (spec.loss === "bce" ? random.below(2) : random.uniform()));
    const scale = bytes ? { featureScale: 1 / 255 } : {};
    const order = [0, 1].map(() => random.shuffle(Uint32Array.from({ length: COUNT }, (_, i) => i)));
    network.load(initialParameters(spec, 3));
    const fitted = await network.fit({
      features,
      ...scale,
      targets,
      order,
      batchSize: 16,
      optimiser,
      proximalMu,
      schedule: { spec: schedule },
      random: { seed: 7, path: ["dropout", "ash", index] },
      sliceMs: 0,
    });
    const judged = await network.evaluate({ features, ...scale, targets });
    // The bits of a NaN are the host's, and a training that ends in them shows nothing.
    if (!network.save().every(Number.isFinite)) throw new Error(`Case ${index} has parameters that are no numbers.`);
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
