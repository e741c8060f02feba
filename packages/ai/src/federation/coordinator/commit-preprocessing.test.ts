import { nodeSecAgg } from "@ciphernx/crypto/secagg/node";
import { createRoundTraces } from "../tracing/index.ts";
import { createSharedLock, createWaiters } from "@ciphernx/core/lifecycle";
import { blobs, events, nodes, openStore, projects, rounds, runs, tasks } from "@ciphernx/core/store";
import { temporaryFolder, testDatabase } from "@ciphernx/core/store/testing";
import { expect, it } from "vitest";
import { encodeUpdateFile, loadAggregationKernel } from "../../aggregation/index.ts";
import { datasetSchema } from "../../data/index.ts";
import { fitPreprocessing, rowStatistics } from "../../data/preprocess/index.ts";
import { compileOrThrow, parseRunSpec } from "../../spec/index.ts";
import { encode } from "../node/encode.ts";
import type { Phase } from "../round/run-round.ts";
import { collectBlobs } from "./collect-blobs.ts";
import { durableHost } from "./durable-host.ts";
import { hostedRun } from "./hosted-run.ts";
import { createRunDocumentCache } from "./run-documents.ts";
import { createSumViews } from "./sum/sum-views.ts";

const SCHEMA = datasetSchema.parse({
  kind: "table",
  task: "classification",
  columns: [
    { name: "age", role: "feature", type: "number", range: [0, 100] },
    { name: "ill", role: "label", type: "category", categories: ["no", "yes"] },
  ],
});
const ROWS = { features: Float32Array.of(25, 75, Number.NaN), featureLength: 1, targets: new Uint8Array(3), count: 3 };
const MODEL = "a".repeat(64);

it("keeps what rows are prepared by once, also where a crash has a step repeated whose uploads have been collected", async () => {
  await using folder = await temporaryFolder();
  await using database = await testDatabase();
  await using store = await openStore({ dataDir: folder.path, databaseUrl: database.databaseUrl });
  const { db } = store;
  const kernel = await loadAggregationKernel();
  const spec = parseRunSpec({
    ...{ version: 1, name: "small", seed: 1, protection: { kind: "none" }, rounds: 1 },
    data: { dataset: "rows" },
    preprocess: {},
    model: { kind: "logistic" },
    train: { optimiser: { kind: "sgd", learningRate: 0.1 } },
  });
  const dataset = { schema: SCHEMA, trainExamples: 3, testExamples: 0, contentHash: "0".repeat(64), missing: [] };
  const plan = compileOrThrow(spec, { kernelBuild: "build", parties: [{ name: "ash", kernelBuild: "build", dataset }] });
  const { steps } = plan.preprocess!;
  const sums = rowStatistics(steps, ROWS, plan.encoding.maxWeight);
  const counted = { delta: new Float32Array(), weight: 3, metrics: Object.fromEntries(sums.entries().map(([at, sum]) => [String(at), sum])) };
  const hash = await store.blobs.put(encodeUpdateFile(encode(kernel, { spec, plan, party: "ash", round: 0 }, "statistics", counted)));

  const phase: Phase = { kind: "statistics", round: 0, attempt: 1 };
  const attempt = { runId: "run_a", round: 0, attempt: 1, baseModelHash: MODEL, deadlineAt: new Date() };
  await db.insert(projects).values({ id: "prj_a", name: "a" });
  await db.insert(nodes).values({ id: "nod_a", projectId: "prj_a", name: "ash", publicKey: new Uint8Array(32), status: "approved" });
  await db.insert(runs).values({
    ...{ id: "run_a", projectId: "prj_a", name: "small", state: "running", rounds: 1, seed: 1 },
    ...{ spec, specHash: plan.specHash, plan, initialModelHash: MODEL, modelHash: MODEL },
  });
  await db.insert(rounds).values({ ...attempt, state: "closed", cohort: { parties: ["ash"] }, accepted: ["ash"] });
  await db.insert(tasks).values({
    ...{ ...attempt, id: "tsk_a", kind: "statistics", nodeId: "nod_a", party: "ash", state: "accepted", config: {} },
    ...{ blobHash: hash, weight: 3, signature: new Uint8Array(64), bytesUp: 10 },
  });
  await db.insert(blobs).values({ hash, sizeBytes: 10, kind: "statistics" });

  let requested = 0;
  const context = {
    ...{
      store,
      kernel,
      secAgg: await nodeSecAgg(),
      sumViews: createSumViews(store),
      waiters: createWaiters(),
      documents: createRunDocumentCache(store),
    },
    ...{ blobLock: createSharedLock(), closing: new AbortController().signal },
    ...{
      traces: createRoundTraces(undefined),
      absent: () => false,
      log: () => {},
      collector: { request: () => (requested += 1), idle: () => Promise.resolve() },
    },
  };
  // Both were begun before anything was committed, as two workflows of one round are.
  const [first, second] = [durableHost(context, await hostedRun(store, "run_a")), durableHost(context, await hostedRun(store, "run_a"))];
  expect(await collectBlobs(store, context.blobLock)).toBe(0);
  await first.prepare(phase, ["ash"]);
  const { preprocessing } = await hostedRun(store, "run_a");
  expect(preprocessing).toEqual(fitPreprocessing(steps, sums, 3, plan.encoding.maxWeight));
  expect(requested).toBe(1);

  expect(await collectBlobs(store, context.blobLock)).toBe(1);
  await second.prepare(phase, ["ash"]);
  expect((await hostedRun(store, "run_a")).preprocessing).toEqual(preprocessing);
  expect(await db.select({ type: events.type }).from(events)).toEqual([{ type: "rows-prepared" }]);
  expect(await db.select({ state: rounds.state }).from(rounds)).toEqual([{ state: "committed" }]);
});
