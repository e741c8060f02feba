/**
 * What secure aggregation costs a round between institutions: ten node processes, an organisation each, with a million parameters and a trainer that does next to
 * nothing, over loopback. Runs with and without it take turns in one federation, so that what else the machine does meets both alike. From commit to commit; medians.
 * Beside it what the keystream of all masks takes alone, on all cores of the machine that the processes share: what no implementation can do without.
 *
 * @module
 */
import { availableParallelism } from "node:os";
import type { RunSpecInput } from "@ciphernx/ai/spec";
import { median, type Outcome } from "./figures/figure.ts";
import { temporaryFolder } from "./processes/child.ts";
import { joinParties, partyNames, roundDurations, startCoordinatorProcess, startParties } from "./processes/federation.ts";
import { rosterParties } from "./processes/roster.ts";
import { encryptZeros, FREED_BLOCK } from "./sums/encrypt-zeros.ts";

export const name = "secagg-round";

const PARTIES = 10;
const PARAMETERS = 1_000_000;
const TURNS = 5;
/** A mask is four bytes a coordinate; each party puts on one for itself and one for each other, and the coordinator takes one for each party off. */
const MASKED_BYTES = 4 * PARAMETERS * PARTIES * (PARTIES + 1);
/** Of each turn; the first is not counted, since it has no commit before it. */
const ROUNDS = 8;

const specOf = (kind: "none" | "secagg"): RunSpecInput => ({
  version: 1,
  name: `round-${kind}`,
  seed: 1,
  data: { dataset: "rows", parties: "all" },
  model: { kind: "tensors", tensors: { weights: [PARAMETERS] } },
  train: { optimiser: { kind: "sgd", learningRate: 0.1 } },
  strategy: { kind: "fedavg" },
  rounds: ROUNDS,
  encoding: { bits: 16 },
  evaluate: { every: 0 },
  protection: { kind },
});

export async function run(): Promise<Outcome> {
  await using folder = await temporaryFolder(name);
  await using stack = new AsyncDisposableStack();
  const coordinator = stack.use(await startCoordinatorProcess(folder.path));
  const names = partyNames(PARTIES);
  const { signer } = stack.use(await rosterParties(coordinator, folder.path, names));
  const parties = startParties(folder.path, names).map((party) => stack.use(party));
  await joinParties(coordinator, parties);

  const roundsMs = (kind: "none" | "secagg") => roundDurations(coordinator, specOf(kind), { signer });
  const plainMs: number[] = [];
  const protectedMs: number[] = [];
  for (let turn = 0; turn <= TURNS; turn += 1) {
    const [open, hidden] = [await roundsMs("none"), await roundsMs("secagg")];
    // The first turn warms up.
    if (turn === 0) continue;
    plainMs.push(...open);
    protectedMs.push(...hidden);
  }
  const keystreamMs = Array.from({ length: TURNS }, () => {
    const began = performance.now();
    encryptZeros(MASKED_BYTES, FREED_BLOCK);
    return (performance.now() - began) / availableParallelism();
  });
  const [plain, hidden] = [median(plainMs), median(protectedMs)];
  return {
    figures: [
      { name: "round without protection", value: plain, unit: "ms" },
      { name: "round with secure aggregation", value: hidden, unit: "ms" },
      { name: "what it adds to a round", value: hidden - plain, unit: "ms", atMost: 120 },
      { name: `keystream of all masks alone, on ${availableParallelism()} cores`, value: median(keystreamMs), unit: "ms" },
    ],
  };
}

if (import.meta.main) console.table((await run()).figures);
