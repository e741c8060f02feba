/**
 * McMahan, Moore, Ramage, Hampson, Agüera y Arcas, "Communication-Efficient Learning of Deep Networks from Decentralized
 * Data" (arXiv 1602.05629, 2016), Table 2: MNIST dealt to 100 clients by chance, 600 images each, a tenth of them in a
 * round (C = 0.1), batches of 10 (B), 5 passes (E), the CNN with 1,663,370 parameters, plain SGD, FedAvg. Counts the
 * rounds of `nexus sim` until the model judges 99 % of MNIST's 10,000 test images rightly; the paper needs 20, with a
 * learning rate that it looked for, and does not say how its weights start.
 *
 * Seen with Glorot's uniform spread: 22 rounds with seed 1 and a learning rate of 0.2, 22 with seed 1 and 0.147, 22 with
 * seed 2 and 0.215, and with the kernel build `fma` 23 with seed 3 and 0.215, 24 with seed 4 and 0.147, 25 with seed 5 and
 * 0.2: two to five rounds more than the paper, whichever of its grid's learning rates, and no better seed was looked for.
 * He's spread, which the catalogue's `cnn` has before a ReLU, needs 24 with seed 1 and 0.2; a deviation of 0.1 for every
 * weight, as in the early examples of TensorFlow, learns nothing at a rate of 0.1. At round 20 all are at 98.85 to 98.95 %.
 *
 *   node scripts/run.mjs bench/mcmahan-cnn.ts [--learning-rate 0.2] [--seed 1] [--rounds 30] [--kernel baseline]
 *
 * Not one of `npm run bench`: a round is 30,000 examples learnt, half a minute on two cores, so that all takes 10 to 20
 * minutes. Prints the curve as it grows and ends with exit code 1 when the goal is not met in 20 rounds. With the
 * kernel build `baseline` the curve is the same on every machine.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { RunEvent } from "@ciphernx/ai/federation";
import type { RunSpecInput } from "@ciphernx/ai/spec";
import { temporaryFolder } from "./processes/child.ts";

const GOAL = 0.99;
const ROUNDS_KNOWN = 20;
const NEXUS = fileURLToPath(new URL("../apps/cli/bin/nexus.js", import.meta.url));

const { values } = parseArgs({
  options: {
    "learning-rate": { type: "string", default: "0.2" },
    seed: { type: "string", default: "1" },
    rounds: { type: "string", default: "30" },
    kernel: { type: "string", default: "baseline" },
  },
});

/** The catalogue's `cnn`, but for how weights start. */
const LAYERS: Extract<RunSpecInput["model"], { readonly kind: "layers" }>["layers"] = [
  { kind: "conv2d", channels: 32, size: 5, padding: 2, initial: "glorot" },
  { kind: "relu" },
  { kind: "max-pool", size: 2 },
  { kind: "conv2d", channels: 64, size: 5, padding: 2, initial: "glorot" },
  { kind: "relu" },
  { kind: "max-pool", size: 2 },
  { kind: "flatten" },
  { kind: "dense", units: 512, initial: "glorot" },
  { kind: "relu" },
  { kind: "dense", units: 10 },
];

const SPEC: RunSpecInput = {
  version: 1,
  name: "mcmahan-2016-table-2",
  seed: Number(values.seed),
  data: { dataset: "mnist", parties: "all" },
  model: { kind: "layers", layers: LAYERS },
  train: { optimiser: { kind: "sgd", learningRate: Number(values["learning-rate"]) }, batchSize: 10, epochs: 5 },
  strategy: { kind: "fedavg" },
  protection: { kind: "none" },
  rounds: Number(values.rounds),
  cohort: { size: 10 },
  evaluate: { every: 1 },
  simulation: { source: "mnist", parties: 100, partition: { kind: "iid" } },
  ...(values.kernel === "baseline" ? {} : { reproducibility: "any-kernel" }),
};

/** The first round that reaches the goal, telling each as it comes; undefined when none does. */
async function roundsToGoal(): Promise<number | undefined> {
  await using folder = await temporaryFolder("mcmahan-cnn");
  const file = join(folder.path, "run.json");
  await writeFile(file, JSON.stringify(SPEC));
  const child = spawn(process.execPath, ["--conditions=source", NEXUS, "sim", file, "--kernel", values.kernel, "--jsonl"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  let reached: number | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as Partial<RunEvent>;
    if (event.type !== "round-committed" || reached !== undefined) continue;
    const { round, evaluated, seconds } = event.payload!;
    const accuracy = evaluated?.["accuracy"] ?? Number.NaN;
    console.log(`round ${String(round).padStart(2)}  ${(accuracy * 100).toFixed(2)} %  ${seconds.toFixed(1)} s`);
    if (accuracy < GOAL) continue;
    reached = round;
    child.kill("SIGINT");
  }
  const code = await exited;
  if (reached === undefined && code !== 0) throw new Error(`The simulation ended with ${code}.`);
  return reached;
}

const { seed, kernel } = values;
console.log(
  `McMahan's CNN, learning rate ${values["learning-rate"]}, seed ${seed}, kernel build ${kernel}; goal ${GOAL * 100} %, known: ${ROUNDS_KNOWN} rounds`,
);
const reached = await roundsToGoal();
console.log(
  reached === undefined
    ? `not reached in ${values.rounds} rounds`
    : `reached in ${reached} rounds${kernel === "baseline" ? "" : " (not reproducible across hosts)"}`,
);
process.exitCode = reached !== undefined && reached <= ROUNDS_KNOWN ? 0 : 1;
