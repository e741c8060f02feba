import { join } from "node:path";
import { createDataset, datasetSchema, describeDataset, type PartyDataset } from "@ciphernx/ai/data";
import { joinNode, loadIdentity, registerDataset, runNode, SOFTWARE_VERSION } from "@ciphernx/ai/federation/node";
import { loadKernel } from "@ciphernx/ai/nn";
import { simulate } from "@ciphernx/ai/simulation";
import { parseRunSpec, type RunSpecInput } from "@ciphernx/ai/spec";
import { networkTrainer } from "@ciphernx/ai/training";
import { connectTransport } from "@ciphernx/protocol/wire/connect";
import { expect, it } from "vitest";
import { type Federation, online, startFederation } from "./federation.ts";
import { PARTIES } from "./parties.ts";
import { POINTS, STATISTICS_POINTS } from "./points.ts";

const SCHEMA = datasetSchema.parse({
  kind: "table",
  task: "classification",
  columns: [
    { name: "age", role: "feature", type: "number", range: [0, 100] },
    { name: "ill", role: "label", type: "category", categories: ["no", "yes"] },
  ],
});

/** Ages from `from` on, one not known; those above 50 are ill. */
function ages(party: string, from: number): PartyDataset {
  const features = Float32Array.from({ length: 20 }, (_, row) => (row === 3 ? Number.NaN : from + row * 2));
  const targets = Uint8Array.from(features, (age) => (age > 50 ? 1 : 0));
  return { party, dataset: createDataset(SCHEMA, { features, featureLength: 1, targets, count: 20 }) };
}

const ROWS = PARTIES.map((party, index) => ages(party, 20 + index * 11));

const SPEC: RunSpecInput = {
  version: 1,
  name: "ages",
  seed: 3,
  data: { dataset: "ages" },
  preprocess: {},
  model: { kind: "logistic" },
  train: { optimiser: { kind: "sgd", learningRate: 0.3 }, batchSize: 5 },
  protection: { kind: "none" },
  rounds: 2,
  cohort: { deadlineSeconds: 120 },
};

/** A node with the built-in trainer, in this process; it counts its rows when `ready` says so. */
async function serve(federation: Federation, { party, dataset }: PartyDataset, ready: Promise<void>, signal: AbortSignal): Promise<void> {
  const url = federation.coordinator.url;
  const folder = join(federation.folder, party);
  await joinNode({ url, token: await federation.joinToken(), name: party, folder });
  const trainer = networkTrainer({ kernel: await loadKernel(), dataset: () => Promise.resolve(dataset) });
  const { identity } = await loadIdentity(folder);
  await runNode({
    ...{ identity, signal, softwareVersion: SOFTWARE_VERSION },
    trainer: { ...trainer, statistics: async (task) => (await ready, trainer.statistics!(task)) },
    connect: (token) => connectTransport({ baseUrl: url, token }),
    onSession: async (session) => {
      await registerDataset(session, { name: "ages", ...describeDataset(dataset) });
    },
  });
}

it("a coordinator that is killed while rows are counted, or right after, prepares them once and as if nothing had happened", async () => {
  await using federation = await startFederation({ parties: [] });
  const leaving = new AbortController();
  const ready = Promise.withResolvers<void>();
  const serving = ROWS.map((rows) => serve(federation, rows, ready.promise, leaving.signal));
  try {
    await online(federation.nexus, PARTIES);
    const run = await federation.nexus.runs.start(SPEC);
    const points = [STATISTICS_POINTS.counting, POINTS.closing, STATISTICS_POINTS.prepared, POINTS.next];
    const gates = points.map(({ name, gate }) => ({ name: `${run.id} ${name}`, ...gate(run.id, 0) }));
    await federation.coordinator.close(gates);
    ready.resolve();
    for (const { name } of gates) {
      await federation.coordinator.reached(name);
      await federation.killCoordinator(name);
    }
    const { modelHash } = await run.result();
    const events = await Array.fromAsync(run.events({ follow: false }));
    expect(events.filter(({ type }) => type === "rows-prepared")).toHaveLength(1);
    expect(events.map(({ number }) => number)).toEqual(events.map((_, index) => index + 1));
    expect((await run.show()).rounds.map(({ round, attempt, state }) => [round, attempt, state])).toEqual([
      [0, 1, "committed"],
      [1, 1, "committed"],
      [2, 1, "committed"],
    ]);
    expect(modelHash).toBe((await simulate({ spec: parseRunSpec(SPEC), parties: ROWS })).modelHash);
  } finally {
    leaving.abort();
    await Promise.allSettled(serving);
  }
});
