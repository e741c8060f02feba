/**
 * Training McMahan's CNN (1,663,370 parameters) on MNIST by plain SGD, batch 10, one thread: examples a second, of both
 * builds of the kernels, and of plain loops over typed arrays as one would first write them. The plain loops must arrive
 * at the same network, within the rounding of f32. Turns alternate; the figures are medians.
 *
 * @module
 */
import { createNetwork, initialParameters, type Kernel, loadKernel, networkLayout, type NetworkSpec } from "@ciphernx/ai/nn";
import { median, type Outcome } from "./figures/figure.ts";
import { type Digits, readDigits } from "./training/digits.ts";
import { createPlainCnn } from "./training/plain-cnn.ts";

export const name = "cnn-training";

const BATCH = 10;
const LEARNING_RATE = 0.05;
/** Examples the engine learns in a turn, and how many of them the plain loops do. */
const EXAMPLES = 640;
const PLAIN_EXAMPLES = 20;
const TURNS = 5;
const WARM_UP_TURNS = 1;

const SPEC: NetworkSpec = {
  inputLength: 784,
  inputShape: [1, 28, 28],
  layers: [
    { kind: "conv2d", channels: 32, size: 5, padding: 2 },
    { kind: "relu" },
    { kind: "max-pool", size: 2 },
    { kind: "conv2d", channels: 64, size: 5, padding: 2 },
    { kind: "relu" },
    { kind: "max-pool", size: 2 },
    { kind: "flatten" },
    { kind: "dense", units: 512 },
    { kind: "relu" },
    { kind: "dense", units: 10 },
  ],
  loss: "softmax-cross-entropy",
};

export async function run(): Promise<Outcome> {
  const digits = readDigits(EXAMPLES);
  const [baseline, fma] = await Promise.all([loadKernel(), loadKernel({ build: "fma" })]);
  const start = initialParameters(SPEC, 1);
  for (const kernel of [baseline, fma]) checkAgainstPlainLoops(kernel, start, digits);

  const contestants = { baseline: engine(baseline, start, digits), fma: engine(fma, start, digits), plain: () => trainPlainly(start, digits) };
  const speeds = { baseline: [] as number[], fma: [] as number[], plain: [] as number[] };
  for (let turn = 0; turn < WARM_UP_TURNS + TURNS; turn += 1) {
    for (const key of ["baseline", "fma", "plain"] as const) {
      const began = performance.now();
      contestants[key]();
      const seconds = (performance.now() - began) / 1000;
      if (turn >= WARM_UP_TURNS) speeds[key].push((key === "plain" ? PLAIN_EXAMPLES : EXAMPLES) / seconds);
    }
  }
  const plain = median(speeds.plain);
  return {
    figures: [
      { name: "McMahan's CNN, baseline", value: median(speeds.baseline), unit: "examples/s", atLeast: 220 },
      { name: "McMahan's CNN, fma", value: median(speeds.fma), unit: "examples/s", atLeast: 380 },
      { name: "plain typed-array loops", value: plain, unit: "examples/s" },
      { name: "baseline to plain loops", value: median(speeds.baseline) / plain, unit: "×" },
      { name: "fma to plain loops", value: median(speeds.fma) / plain, unit: "×" },
    ],
  };
}

/** A turn of the engine: the same examples from the same start. Returns the sum of losses. */
function engine(kernel: Kernel, start: Float32Array, digits: Digits, examples = EXAMPLES): () => { loss: number; parameters: Float32Array } {
  const network = createNetwork(kernel, SPEC, { maxBatch: BATCH });
  const order = Uint32Array.from({ length: examples }, (_, i) => i);
  const parameters = new Float32Array(start.length);
  return () => {
    network.load(start);
    const { loss } = network.fitSync({ ...digits, order, batchSize: BATCH, optimiser: { kind: "sgd", learningRate: LEARNING_RATE } });
    return { loss, parameters: network.save(parameters) };
  };
}

function trainPlainly(start: Float32Array, { features, targets }: Digits): { loss: number; parameters: Float32Array } {
  const parameters = start.slice();
  const views = new Map(networkLayout(SPEC).entries.map(({ name, offset, length }) => [name, parameters.subarray(offset, offset + length)]));
  const cnn = createPlainCnn(views, LEARNING_RATE);
  let loss = 0;
  for (let first = 0; first < PLAIN_EXAMPLES; first += BATCH) {
    loss += cnn.step(features.subarray(first * 784, (first + BATCH) * 784), targets.subarray(first, first + BATCH));
  }
  return { loss, parameters };
}

/** A training that is fast but wrong would be no figure: both ways must arrive at the same network. */
function checkAgainstPlainLoops(kernel: Kernel, start: Float32Array, digits: Digits): void {
  const ours = engine(kernel, start, digits, PLAIN_EXAMPLES)();
  const plain = trainPlainly(start, digits);
  const furthest = ours.parameters.reduce((far, value, i) => Math.max(far, Math.abs(value - plain.parameters[i]!)), 0);
  if (!(furthest < 1e-5) || !(Math.abs(ours.loss - plain.loss) < 1e-4 * plain.loss)) {
    throw new Error(`The engine and the plain loops part: loss ${ours.loss} and ${plain.loss}, parameters by up to ${furthest}.`);
  }
}

if (import.meta.main) console.table((await run()).figures);
