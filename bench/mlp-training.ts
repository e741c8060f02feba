/**
 * Training an MLP 784-128-10 by plain SGD, batch 32, one thread: examples a second, of the engine on MNIST and on
 * features without a single zero (zeros are skipped, so these are its hardest), and of plain loops over typed arrays as
 * one would first write them. The engine with both builds of its kernels. Turns alternate; the figures are medians.
 *
 * @module
 */
import { createNetwork, initialParameters, loadKernel, type Network, type NetworkSpec } from "@ciphernx/ai/nn";
import { randomStream } from "@ciphernx/ai/random";
import { median, type Outcome } from "./figures/figure.ts";
import { type Digits, readDigits } from "./training/digits.ts";

export const name = "mlp-training";

const INPUTS = 784;
const HIDDEN = 128;
const CLASSES = 10;
const BATCH = 32;
const LEARNING_RATE = 0.05;
/** Examples the engine learns in a turn, and how many of them the plain loops do. */
const EXAMPLES = 8_192;
const PLAIN_EXAMPLES = 1_024;
const TURNS = 9;
const WARM_UP_TURNS = 2;

const SPEC: NetworkSpec = {
  inputLength: INPUTS,
  layers: [{ kind: "dense", units: HIDDEN }, { kind: "relu" }, { kind: "dense", units: CLASSES }],
  loss: "softmax-cross-entropy",
};

export async function run(): Promise<Outcome> {
  const [kernel, fused] = await Promise.all([loadKernel(), loadKernel({ build: "fma" })]);
  const digits = readDigits(EXAMPLES);
  const random = randomStream(1, "mlp-training");
  const withoutZeros: Digits = {
    features: Float32Array.from({ length: EXAMPLES * INPUTS }, () => random.uniform() - 0.5 || 0.5),
    targets: digits.targets,
  };
  for (const one of [kernel, fused]) checkAgainstPlainLoops(one, digits);

  const order = random.shuffle(Uint32Array.from({ length: EXAMPLES }, (_, i) => i));
  const network = createNetwork(kernel, SPEC, { maxBatch: BATCH });
  const fusedNetwork = createNetwork(fused, SPEC, { maxBatch: BATCH });
  const start = initialParameters(SPEC, 1);
  const optimiser = { kind: "sgd", learningRate: LEARNING_RATE } as const;
  const engine = (network: Network, data: Digits) => () => {
    network.load(start);
    network.fitSync({ ...data, order, batchSize: BATCH, optimiser });
    return EXAMPLES;
  };
  const plain = (data: Digits) => () => {
    trainPlainly(start.slice(), data, order.subarray(0, PLAIN_EXAMPLES));
    return PLAIN_EXAMPLES;
  };
  const contestants = {
    dense: engine(network, withoutZeros),
    digits: engine(network, digits),
    fusedDense: engine(fusedNetwork, withoutZeros),
    fusedDigits: engine(fusedNetwork, digits),
    plainDense: plain(withoutZeros),
    plainDigits: plain(digits),
  };
  const keys = ["dense", "digits", "fusedDense", "fusedDigits", "plainDense", "plainDigits"] as const;
  const speeds: Record<(typeof keys)[number], number[]> = { dense: [], digits: [], fusedDense: [], fusedDigits: [], plainDense: [], plainDigits: [] };
  for (let turn = 0; turn < WARM_UP_TURNS + TURNS; turn += 1) {
    for (const key of keys) {
      const began = performance.now();
      const examples = contestants[key]();
      const seconds = (performance.now() - began) / 1000;
      if (turn >= WARM_UP_TURNS) speeds[key].push(examples / seconds);
    }
  }
  const dense = median(speeds.dense);
  const mnist = median(speeds.digits);
  return {
    figures: [
      { name: "MLP 784-128-10, features without zeros", value: dense, unit: "examples/s", atLeast: 35_000 },
      { name: "MLP 784-128-10, MNIST", value: mnist, unit: "examples/s", atLeast: 35_000 },
      { name: "MLP 784-128-10, features without zeros, fma", value: median(speeds.fusedDense), unit: "examples/s", atLeast: 65_000 },
      { name: "MLP 784-128-10, MNIST, fma", value: median(speeds.fusedDigits), unit: "examples/s", atLeast: 65_000 },
      { name: "plain typed-array loops, features without zeros", value: median(speeds.plainDense), unit: "examples/s" },
      { name: "engine to plain loops, features without zeros", value: dense / median(speeds.plainDense), unit: "×" },
      { name: "engine to plain loops, MNIST", value: mnist / median(speeds.plainDigits), unit: "×" },
    ],
  };
}

/** The same training in loops over rows of typed arrays. Parameters as in the network's layout. */
function trainPlainly(parameters: Float32Array, { features, targets }: Digits, order: Uint32Array): number {
  const bias1 = parameters.subarray(0, HIDDEN);
  const weight1 = parameters.subarray(HIDDEN, HIDDEN + INPUTS * HIDDEN);
  const bias2 = parameters.subarray(HIDDEN + INPUTS * HIDDEN, HIDDEN + INPUTS * HIDDEN + CLASSES);
  const weight2 = parameters.subarray(HIDDEN + INPUTS * HIDDEN + CLASSES);
  const gradient = new Float32Array(parameters.length);
  const gradientBias1 = gradient.subarray(0, HIDDEN);
  const gradientWeight1 = gradient.subarray(HIDDEN, HIDDEN + INPUTS * HIDDEN);
  const gradientBias2 = gradient.subarray(HIDDEN + INPUTS * HIDDEN, HIDDEN + INPUTS * HIDDEN + CLASSES);
  const gradientWeight2 = gradient.subarray(HIDDEN + INPUTS * HIDDEN + CLASSES);
  const hidden = new Float32Array(HIDDEN);
  const hiddenGradient = new Float32Array(HIDDEN);
  const output = new Float32Array(CLASSES);
  let loss = 0;
  for (let first = 0; first < order.length; first += BATCH) {
    gradient.fill(0);
    for (let row = first; row < first + BATCH; row += 1) {
      const example = order[row]!;
      const x = features.subarray(example * INPUTS, (example + 1) * INPUTS);
      hidden.set(bias1);
      for (let k = 0; k < INPUTS; k += 1) for (let j = 0; j < HIDDEN; j += 1) hidden[j]! += x[k]! * weight1[k * HIDDEN + j]!;
      for (let j = 0; j < HIDDEN; j += 1) if (hidden[j]! < 0) hidden[j] = 0;
      output.set(bias2);
      for (let k = 0; k < HIDDEN; k += 1) for (let j = 0; j < CLASSES; j += 1) output[j]! += hidden[k]! * weight2[k * CLASSES + j]!;
      const most = Math.max(...output);
      let total = 0;
      for (let j = 0; j < CLASSES; j += 1) total += Math.exp(output[j]! - most);
      loss += Math.log(total) - (output[targets[example]!]! - most);
      for (let j = 0; j < CLASSES; j += 1) {
        const hot = j === targets[example] ? 1 : 0;
        output[j] = (Math.exp(output[j]! - most) / total - hot) / BATCH;
        gradientBias2[j]! += output[j]!;
      }
      for (let k = 0; k < HIDDEN; k += 1) {
        let sum = 0;
        for (let j = 0; j < CLASSES; j += 1) {
          gradientWeight2[k * CLASSES + j]! += hidden[k]! * output[j]!;
          sum += output[j]! * weight2[k * CLASSES + j]!;
        }
        hiddenGradient[k] = hidden[k]! > 0 ? sum : 0;
        gradientBias1[k]! += hiddenGradient[k]!;
      }
      for (let k = 0; k < INPUTS; k += 1) for (let j = 0; j < HIDDEN; j += 1) gradientWeight1[k * HIDDEN + j]! += x[k]! * hiddenGradient[j]!;
    }
    for (let i = 0; i < parameters.length; i += 1) parameters[i]! -= LEARNING_RATE * gradient[i]!;
  }
  return loss;
}

/** A training that is fast but wrong would be no figure: both ways must arrive at the same network. */
function checkAgainstPlainLoops(kernel: Awaited<ReturnType<typeof loadKernel>>, data: Digits): void {
  const order = Uint32Array.from({ length: 16 * BATCH }, (_, i) => i);
  const network = createNetwork(kernel, SPEC, { maxBatch: BATCH });
  const plain = initialParameters(SPEC, 1);
  network.load(plain);
  const { loss } = network.fitSync({ ...data, order, batchSize: BATCH, optimiser: { kind: "sgd", learningRate: LEARNING_RATE } });
  const plainLoss = trainPlainly(plain, data, order);
  const furthest = network.save().reduce((far, value, i) => Math.max(far, Math.abs(value - plain[i]!)), 0);
  if (!(furthest < 1e-5) || !(Math.abs(loss - plainLoss) < 1e-3 * plainLoss)) {
    throw new Error(`The engine and the plain loops part: loss ${loss} and ${plainLoss}, parameters by up to ${furthest}.`);
  }
}

if (import.meta.main) console.table((await run()).figures);
