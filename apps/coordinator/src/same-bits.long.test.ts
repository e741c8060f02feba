import { createHash } from "node:crypto";
import { simulate } from "@ciphernx/ai/simulation";
import { parseRunSpec, type RunSpecInput } from "@ciphernx/ai/spec";
import { sleep } from "@ciphernx/core/lifecycle";
import { blobs } from "@ciphernx/core/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { classRows, rowsSpec, startWork, testCoordinator, type TestCoordinator } from "./test-coordinator.fixture.ts";

const PARTIES = [classRows("ash", 40, 10), classRows("birch", 61, 0), classRows("cedar", 53, 12)];
let lent: TestCoordinator;
/** How long each party takes before it answers, in milliseconds. */
let delaysMs: Readonly<Record<string, number>> = {};
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  lent = stack.use(await testCoordinator());
  // Joined in another order than that of their names, so that ids and names do not sort alike.
  for (const rows of [PARTIES[1]!, PARTIES[2]!, PARTIES[0]!]) {
    const identity = await lent.join(rows.party);
    stack.use(await startWork(lent.url, identity, { rows, before: ({ party }) => sleep(delaysMs[party] ?? 0) }));
  }
});
afterAll(() => stack.disposeAsync());

/** The model hash that the nodes' run commits. */
async function distributed(spec: RunSpecInput, delays: Readonly<Record<string, number>> = {}): Promise<string> {
  delaysMs = delays;
  const run = await lent.nexus.runs.start(spec);
  return (await run.result()).modelHash;
}

async function simulated(spec: RunSpecInput, workers: number): Promise<string> {
  return (await simulate({ spec: parseRunSpec(spec), parties: PARTIES, workers })).modelHash;
}

const LOCAL: Partial<RunSpecInput> = {
  strategy: { kind: "fedavgm", momentum: 0.5, local: ["layer2.*"] },
  cohort: { size: 2, deadlineSeconds: 30 },
  rounds: 4,
};

/** What is changed of the spec, and with how many workers it is simulated. */
const CASES: readonly (readonly [string, Partial<RunSpecInput>, (readonly number[])?])[] = [
  ["fedavg, 32 bits", {}],
  ["fedprox, 16 bits", { strategy: { kind: "fedprox", mu: 0.1 }, encoding: { bits: 16 } }],
  ["fedavgm, 12 bits", { strategy: { kind: "fedavgm", momentum: 0.5 }, encoding: { bits: 12 } }],
  ["fedadam, with state of two vectors", { strategy: { kind: "fedadam" } }],
  ["fedadagrad", { strategy: { kind: "fedadagrad" } }],
  ["fedyogi", { strategy: { kind: "fedyogi" } }],
  [
    "fednova, with momentum at the parties",
    { strategy: { kind: "fednova" }, train: { optimiser: { kind: "sgd", learningRate: 0.1, momentum: 0.5 }, batchSize: 8 } },
    [1, 2],
  ],
  ["scaffold, in a cohort of two of three", { strategy: { kind: "scaffold" }, cohort: { size: 2, deadlineSeconds: 30 }, rounds: 4 }, [1, 2]],
  [
    "scaffold, where the last layer stays with the parties",
    { strategy: { kind: "scaffold", serverLearningRate: 0.5, local: ["layer2.*"] }, rounds: 3, encoding: { bits: 16 } },
    [1, 2],
  ],
  ["fedbn: the last layer stays with the parties, in a cohort of two of three", LOCAL, [1, 2]],
  ["stochastic rounding, 8 bits", { encoding: { bits: 8, rounding: "stochastic" } }, [1, 2, 3]],
  ["a cohort of two of three", { cohort: { size: 2, deadlineSeconds: 30 }, strategy: { kind: "fedavgm" }, rounds: 3 }],
  [
    "Adam at the parties, two epochs, no evaluation",
    { train: { optimiser: { kind: "adam", learningRate: 0.01 }, epochs: 2 }, evaluate: { every: 0 } },
  ],
  [
    "a convolution with group norm and dropout, AdamW along a cosine",
    {
      model: {
        kind: "layers",
        inputShape: [1, 2, 2],
        layers: [
          { kind: "conv2d", channels: 4, size: 2, padding: 1 },
          { kind: "group-norm", groups: 2 },
          { kind: "relu" },
          { kind: "dropout", rate: 0.25 },
          { kind: "dense", units: 3 },
        ],
      },
      train: { optimiser: { kind: "adamw", learningRate: 0.01 }, schedule: { kind: "cosine" } },
    },
    [1, 2],
  ],
];

describe("the same spec, seed and accepted updates give the same bits", () => {
  const found: string[] = [];

  it.each(CASES.map(([name, changes, workers = [1]]) => ({ name, changes, workers })))(
    "over sockets, in another order of answers, and simulated: $name",
    async ({ changes, workers }) => {
      const spec = rowsSpec({ rounds: 2, ...changes });
      const first = await distributed(spec, { ash: 25, birch: 10, cedar: 0 });
      const second = await distributed(spec, { ash: 0, birch: 25, cedar: 10 });
      expect(second).toBe(first);
      expect(await Promise.all(workers.map((count) => simulated(spec, count)))).toEqual(workers.map(() => first));
      found.push(first);
    },
  );

  it("and every part of the spec counts: none of these runs ended with the model of another, nor does another seed", async () => {
    found.push(await simulated(rowsSpec({ rounds: 2, seed: 8 }), 1));
    expect(new Set(found).size).toBe(CASES.length + 1);
  });

  it.each([
    ["where ash and cedar judge every other round and the last", { rounds: 5, evaluate: { every: 2 } }],
    ["where nobody judges", { evaluate: { every: 0 } }],
    ["where the judges send counts beside the means", { evaluate: { metrics: ["loss", "correct", "f1", "calibration"] } }],
    ["where vectors of the strategy go along, in a cohort of two", { strategy: { kind: "scaffold" }, cohort: { size: 2, deadlineSeconds: 30 } }],
  ] satisfies readonly (readonly [string, Partial<RunSpecInput>])[])(
    "a simulated round tells the bytes of a distributed one, which are the plan's: %s",
    async (_, changes) => {
      const spec = rowsSpec(changes);
      const run = await lent.nexus.runs.start(spec);
      await run.result();
      const { rounds } = await run.show();
      const simulation = await simulate({ spec: parseRunSpec(spec), parties: PARTIES, workers: 1 });
      const told = simulation.rounds.map(({ bytesUp, bytesDown }) => ({ up: bytesUp, down: bytesDown }));
      expect(told).toEqual(rounds.map(({ bytesUp, bytesDown }) => ({ up: Number(bytesUp), down: Number(bytesDown) })));
      const total = told.reduce((sum, { up, down }) => ({ up: sum.up + up, down: sum.down + down }), { up: 0, down: 0 });
      expect(total).toEqual(simulation.plan.totalBytes);
    },
  );

  it("records what the hash is a function of, and keeps no other blob when the runs are over", async () => {
    const run = await lent.nexus.runs.start(rowsSpec({ strategy: { kind: "fedadam" }, name: "kept", seed: 99 }));
    const { modelHash, card, file } = await run.result();
    expect(
      createHash("sha256")
        .update(await file())
        .digest("hex"),
    ).toBe(modelHash);
    expect(card).toMatchObject({
      model: { hash: modelHash },
      reproducible: true,
      dependsOnAnswers: false,
      data: {
        dataset: "rows",
        trainedRows: 154,
        parties: [
          { name: "ash", rounds: 3 },
          { name: "birch", rounds: 3 },
          { name: "cedar", rounds: 3 },
        ],
      },
    });
    const { rounds } = await run.show();
    expect(rounds.map(({ round, state, attempt }) => ({ round, state, attempt }))).toEqual(
      [1, 2, 3].map((round) => ({ round, state: "committed", attempt: 1 })),
    );
    const fits = rounds.flatMap(({ participations }) => participations.filter(({ kind }) => kind === "fit"));
    expect(fits.map(({ party, state, weight }) => [party, state, Number(weight)])).toEqual(
      [1, 2, 3].flatMap(() => [
        ["ash", "accepted", 40],
        ["birch", "accepted", 61],
        ["cedar", "accepted", 53],
      ]),
    );

    const { store } = lent.coordinator;
    const all = await store.db.query.runs.findMany();
    expect(all.every(({ state }) => state === "finished")).toBe(true);
    const wanted = new Set(
      all
        .flatMap(({ initialModelHash, modelHash: last, serverStateHash }) => [initialModelHash, last, serverStateHash])
        .filter((hash) => hash !== null),
    );
    const files: string[] = [];
    for await (const hash of store.blobs.list()) files.push(hash);
    expect(new Set(files)).toEqual(wanted);
    const rows = await store.db.select({ hash: blobs.hash }).from(blobs);
    expect(new Set(rows.map(({ hash }) => hash))).toEqual(wanted);
  });
});
