/**
 * A round of ten node processes with a million parameters and a trainer that does next to nothing, against bare node:http moving the
 * same bytes among the same ten processes: each fetches 4 MB and sends 4 MB. Rounds are timed from commit to commit, so that all of the
 * engine's work counts; turns of the bare peer come before and after. Medians.
 *
 * @module
 */
import { join } from "node:path";
import type { RunSpecInput } from "@ciphernx/ai/spec";
import { median, type Outcome } from "./figures/figure.ts";
import type { BareServerOptions } from "./processes/bare-server.ts";
import { type Child, startChild, temporaryFolder } from "./processes/child.ts";
import { joinParties, partyNames, startCoordinatorProcess, startParties } from "./processes/federation.ts";
import type { RoundTimes } from "./processes/coordinator.ts";
import type { PartyOrder } from "./processes/party.ts";

export const name = "round";

const PARTIES = 10;
const PARAMETERS = 1_000_000;
const MODEL_BYTES = PARAMETERS * 4;
const ROUNDS = 20;
const WARM_UP_ROUNDS = 4;
const BARE_TURNS = 10;
const BARE_WARM_UP_TURNS = 3;

const SPEC: RunSpecInput = {
  version: 1,
  name: "round",
  seed: 1,
  data: { dataset: "rows", parties: "all" },
  model: { kind: "tensors", tensors: { weights: [PARAMETERS] } },
  train: { optimiser: { kind: "sgd", learningRate: 0.1 } },
  strategy: { kind: "fedavg" },
  rounds: WARM_UP_ROUNDS + ROUNDS,
  encoding: { bits: 32 },
  evaluate: { every: 0 },
  protection: { kind: "none" },
};

export async function run(): Promise<Outcome> {
  await using folder = await temporaryFolder(name);
  await using stack = new AsyncDisposableStack();
  const parties = startParties(folder.path, partyNames(PARTIES)).map((party) => stack.use(party));
  const memoryMs: number[] = [];
  const diskMs: number[] = [];
  const bare = async (): Promise<void> => {
    await using server = startChild("./bare-server.ts", { folder: join(folder.path, "bare"), sizeBytes: MODEL_BYTES } satisfies BareServerOptions);
    const url = await server.next<string>();
    for (let turn = -BARE_WARM_UP_TURNS; turn < BARE_TURNS; turn += 1) {
      const inMemory = await movedMs(parties, `${url}/memory`);
      const onDisk = await movedMs(parties, `${url}/disk`);
      if (turn < 0) continue;
      memoryMs.push(inMemory);
      diskMs.push(onDisk);
    }
  };

  await bare();
  const times = await rounds(folder.path, parties);
  await bare();

  const steps = (from: keyof RoundTimes, to: keyof RoundTimes): number => median(times.slice(WARM_UP_ROUNDS).map((round) => round[to] - round[from]));
  const roundMs = median(times.slice(WARM_UP_ROUNDS).map((round, index) => round.committedAt - times[WARM_UP_ROUNDS + index - 1]!.committedAt));
  const bareMs = median(memoryMs);
  const bareDiskMs = median(diskMs);
  return {
    figures: [
      { name: "round, commit to commit", value: roundMs, unit: "ms" },
      { name: "bare node:http, in memory", value: bareMs, unit: "ms" },
      { name: "bare node:http, uploads durable on disk", value: bareDiskMs, unit: "ms" },
      { name: "round beyond bare node:http in memory", value: roundMs - bareMs, unit: "ms", atMost: 150 },
      { name: "round beyond bare node:http with durable uploads", value: roundMs - bareDiskMs, unit: "ms" },
      { name: "round to bare node:http with durable uploads", value: roundMs / bareDiskMs, unit: "×" },
      { name: "opened to first delivery", value: steps("openedAt", "firstDeliveredAt"), unit: "ms" },
      { name: "opened to last delivery", value: steps("openedAt", "lastDeliveredAt"), unit: "ms" },
      { name: "first delivery to first report", value: steps("firstDeliveredAt", "firstReportedAt"), unit: "ms" },
      { name: "first report to last report", value: steps("firstReportedAt", "lastReportedAt"), unit: "ms" },
      { name: "last report to closed", value: steps("lastReportedAt", "closedAt"), unit: "ms" },
      { name: "closed to committed", value: steps("closedAt", "committedAt"), unit: "ms" },
    ],
  };
}

/** How long it takes until every party has fetched and sent the bytes. */
async function movedMs(parties: readonly Child[], url: string): Promise<number> {
  const began = performance.now();
  for (const party of parties) party.say({ kind: "move", url, sizeBytes: MODEL_BYTES } satisfies PartyOrder);
  await Promise.all(parties.map((party) => party.next()));
  return performance.now() - began;
}

async function rounds(folder: string, parties: readonly Child[]): Promise<readonly RoundTimes[]> {
  await using coordinator = await startCoordinatorProcess(folder);
  await joinParties(coordinator, parties);
  const run = await coordinator.nexus.runs.start(SPEC);
  await run.result();
  return await coordinator.roundTimes(run.id);
}

if (import.meta.main) console.table((await run()).figures);
