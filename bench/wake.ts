/**
 * From the moment at which a round opens (the first statement of the transaction that records it) to the moment at which its task is in
 * the hands of a node that waits for one, by the clock of this machine, with one waiting node and with ten. Medians. With ten, those that
 * have their task work at it while the others wait for theirs: on fewer cores than nodes that is what the later ones wait for.
 *
 * @module
 */
import type { RunSpecInput } from "@ciphernx/ai/spec";
import { median, type Outcome } from "./figures/figure.ts";
import { type Child, temporaryFolder } from "./processes/child.ts";
import { joinParties, partyNames, startCoordinatorProcess, startParties } from "./processes/federation.ts";
import type { PartyWord } from "./processes/party.ts";

export const name = "wake";

const ROUNDS = 40;
const WARM_UP_ROUNDS = 20;
const PARTIES = 10;

const SPEC: RunSpecInput = {
  version: 1,
  name: "wake",
  seed: 1,
  data: { dataset: "rows", parties: "all" },
  model: { kind: "tensors", tensors: { weights: [16] } },
  train: { optimiser: { kind: "sgd", learningRate: 0.1 } },
  protection: { kind: "none" },
  rounds: WARM_UP_ROUNDS + ROUNDS,
  evaluate: { every: 0 },
};

export async function run(): Promise<Outcome> {
  const alone = await wakesMs(1);
  const together = await wakesMs(PARTIES);
  return {
    figures: [
      { name: "round open to task, one waiting node", value: median(alone.flat()), unit: "ms", atMost: 10 },
      { name: `round open to task, ${PARTIES} waiting nodes`, value: median(together.flat()), unit: "ms", atMost: 10 },
      { name: `round open to first task of ${PARTIES}`, value: median(together.map((round) => Math.min(...round))), unit: "ms" },
      { name: `round open to last task of ${PARTIES}`, value: median(together.map((round) => Math.max(...round))), unit: "ms" },
    ],
  };
}

/** For each round, how long each party waited. */
async function wakesMs(count: number): Promise<readonly (readonly number[])[]> {
  await using folder = await temporaryFolder(name);
  await using coordinator = await startCoordinatorProcess(folder.path);
  await using stack = new AsyncDisposableStack();
  const parties = startParties(folder.path, partyNames(count)).map((party) => stack.use(party));
  await joinParties(coordinator, parties, { tellsTasks: true });
  const run = await coordinator.nexus.runs.start(SPEC);
  const arrivals = await Promise.all(parties.map(taskTimes));
  await run.result();
  const times = await coordinator.roundTimes(run.id);
  return times.slice(WARM_UP_ROUNDS).map(({ round, openedAt }) => arrivals.map((arrived) => arrived.get(round)! - openedAt));
}

/** When a party got the task of each round. */
async function taskTimes(party: Child): Promise<ReadonlyMap<number, number>> {
  const times = new Map<number, number>();
  while (times.size < WARM_UP_ROUNDS + ROUNDS) {
    const word = await party.next<PartyWord>();
    if (word.kind === "task") times.set(word.round, word.at);
  }
  return times;
}

if (import.meta.main) console.table((await run()).figures);
