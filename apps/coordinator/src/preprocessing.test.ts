import { createDataset, datasetSchema, type PartyDataset } from "@ciphernx/ai/data";
import { createPredictor, readModelCard } from "@ciphernx/ai/models";
import { loadKernel } from "@ciphernx/ai/nn";
import { randomStream } from "@ciphernx/ai/random";
import { simulate } from "@ciphernx/ai/simulation";
import { parseRunSpec, type RunSpecInput } from "@ciphernx/ai/spec";
import type { Trainer } from "@ciphernx/ai/training";
import { NexusError } from "@ciphernx/core/errors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually, startWork, testCoordinator, type TestCoordinator } from "./test-coordinator.fixture.ts";

const SCHEMA = datasetSchema.parse({
  kind: "table",
  task: "classification",
  columns: [
    { name: "age", role: "feature", type: "number", range: [0, 100] },
    { name: "pain", role: "feature", type: "category", categories: ["typical", "atypical", "none"] },
    { name: "pressure", role: "feature", type: "number", range: [40, 240] },
    { name: "ill", role: "label", type: "category", categories: ["no", "yes"] },
  ],
});

/** Patients of a hospital: the old and those in pain are ill; some cells are not known. */
function patients(party: string, count: number): PartyDataset {
  const random = randomStream(5, "patients", party);
  const share = () => random.uint32() / 2 ** 32;
  const draw = (rows: number) => {
    const features = new Float32Array(rows * 3);
    const targets = new Uint8Array(rows);
    for (let row = 0; row < rows; row += 1) {
      const age = Math.floor(20 + share() * 70);
      const pain = random.uint32() % 3;
      targets[row] = age + (2 - pain) * 15 > 70 ? 1 : 0;
      const cells = [age, pain, Math.floor(90 + share() * 90)];
      for (const [column, cell] of cells.entries()) features[row * 3 + column] = share() < 0.1 ? Number.NaN : cell;
    }
    return { features, featureLength: 3, targets, count: rows };
  };
  return { party, dataset: createDataset(SCHEMA, draw(count), draw(Math.ceil(count / 3))) };
}

const SPEC: RunSpecInput = {
  version: 1,
  name: "patients",
  seed: 7,
  data: { dataset: "rows" },
  preprocess: { numbers: { impute: "mean", indicate: true }, columns: { pressure: { impute: "median", scale: "robust" } } },
  model: { kind: "mlp", hidden: [6] },
  train: { optimiser: { kind: "sgd", learningRate: 0.3 }, batchSize: 16, epochs: 3 },
  protection: { kind: "none" },
  rounds: 4,
  cohort: { deadlineSeconds: 30 },
};

const PARTIES = [patients("ash", 90), patients("birch", 41), patients("cedar", 60)];
let lent: TestCoordinator;
/** What the nodes' trainers are changed to, by party. */
let statistics: Readonly<Record<string, NonNullable<Trainer["statistics"]>>> = {};
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  lent = stack.use(await testCoordinator());
  for (const rows of PARTIES) {
    const identity = await lent.join(rows.party);
    stack.use(
      await startWork(lent.url, identity, {
        rows,
        change: (trainer) => ({ ...trainer, statistics: (task) => (statistics[task.party] ?? trainer.statistics!)(task) }),
      }),
    );
  }
});
afterAll(() => stack.disposeAsync());

describe("a run that prepares its rows", () => {
  it("counts before the first round, learns from rows with gaps, and commits the model and preprocessing that the simulation gives", async () => {
    statistics = {};
    const run = await lent.nexus.runs.start(SPEC);
    const events: string[] = [];
    for await (const { type } of run.events()) events.push(type);
    expect(events.slice(0, 4)).toEqual(["run-started", "round-opened", "rows-prepared", "round-opened"]);
    const { modelHash } = await run.result();
    for (const workers of [1, 2]) {
      const simulated = await simulate({ spec: parseRunSpec(SPEC), parties: PARTIES, workers });
      expect(simulated.modelHash).toBe(modelHash);
      const shown = await run.show();
      expect(shown.rounds[0]).toMatchObject({ round: 0, state: "committed" });
      expect(shown.rounds[0]!.participations.map(({ kind, state, weight }) => [kind, state, Number(weight)])).toEqual([
        ["statistics", "accepted", 90],
        ["statistics", "accepted", 41],
        ["statistics", "accepted", 60],
      ]);
      const [model] = (await lent.nexus.models.list()).filter(({ hash }) => hash === modelHash);
      const card = JSON.parse(model!.cardJson) as { data: { preprocessing: unknown }; lineage: { preprocessingHash: string } };
      const other = simulated.card as typeof card;
      expect(card.data.preprocessing).toEqual(other.data.preprocessing);
      expect(card.lineage.preprocessingHash).toBe(other.lineage.preprocessingHash);

      const predictor = createPredictor(await loadKernel(), readModelCard(card, "the card"), await lent.nexus.models.file(model!));
      expect(predictor.fills).toEqual(new Set(["age", "pain", "pressure"]));
      const test = PARTIES[0]!.dataset.test!;
      const right = predictor.predict(test).filter((one, row) => one.kind === "class" && one.label === ["no", "yes"][test.targets[row]!]).length;
      expect(right / test.count).toBeGreaterThan(0.75);
    }
  });

  it("names a party whose counts are those of no rows, and goes on without it where a quorum is left", async () => {
    statistics = {
      birch: async () => ({ weight: 41, sums: new Float64Array(259 * 2 + 3).fill(50) }),
      cedar: () => Promise.reject(new NexusError("DATA_UNREADABLE", "The disk is gone.")),
    };
    const run = await lent.nexus.runs.start({ ...SPEC, cohort: { deadlineSeconds: 30, quorum: 1 }, rounds: 1 });
    const told: unknown[] = [];
    for await (const event of run.events()) if (event.type === "answer-refused" || event.type === "rows-prepared") told.push(event.payload);
    expect(told).toHaveLength(3);
    expect(told).toContainEqual(expect.objectContaining({ round: 0, kind: "statistics", party: "birch", code: "UPDATE_REJECTED" }));
    expect(told).toContainEqual(expect.objectContaining({ round: 0, kind: "statistics", party: "cedar", code: "DATA_UNREADABLE" }));
    expect(told).toContainEqual(expect.objectContaining({ accepted: 1, missed: ["birch", "cedar"], rows: 90 }));
    const { card } = await run.result();
    const part = (name: string, counted: boolean) => expect.objectContaining({ name, rounds: 1, counted }) as unknown;
    expect(card).toMatchObject({
      data: { trainedRows: 191, preprocessing: { rows: 90 }, parties: [part("ash", true), part("birch", false), part("cedar", false)] },
      reproducible: true,
      dependsOnAnswers: true,
      labels: [
        expect.stringContaining("may close with 1 of 3 updates"),
        "In 1 of 2 rounds, that of the statistics included, not all were added whom the seed draws first.",
      ],
    });
  });

  it("can be stopped while rows are counted, and resumed there", async () => {
    const counting = Promise.withResolvers<void>();
    const released = Promise.withResolvers<never>();
    statistics = { ash: () => (counting.resolve(), released.promise) };
    const run = await lent.nexus.runs.start({ ...SPEC, rounds: 1 });
    await counting.promise;
    await run.stop();
    await eventually(async () => ((await run.show()).run.outcome === "stopped" ? true : undefined));
    statistics = {};
    released.reject(new Error("The test goes on."));
    await run.resume();
    await run.result();
    expect((await run.show()).rounds.map(({ round, attempt, state }) => [round, attempt, state])).toEqual([
      [0, 1, "abandoned"],
      [0, 2, "committed"],
      [1, 1, "committed"],
    ]);
  });

  it("fails with the column's name where nobody knows a cell", async () => {
    statistics = Object.fromEntries(
      PARTIES.map(({ party, dataset }) => [party, async () => ({ weight: dataset.train.count, sums: new Float64Array(259 * 2 + 3) })]),
    );
    const run = await lent.nexus.runs.start({ ...SPEC, rounds: 1 });
    await expect(run.result()).rejects.toThrow(/knows a single training cell of the column "age".* Give the column the role "ignore"/);
  });
});
