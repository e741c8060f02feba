import { encodeUpdate, encodeUpdateFile, loadAggregationKernel } from "@ciphernx/ai/aggregation";
import { allocateExamples, createDataset, type DatasetSchema, type PartyDataset } from "@ciphernx/ai/data";
import type { NodeIdentity, NodeSession } from "@ciphernx/ai/federation/node";
import { createTally } from "@ciphernx/ai/metrics";
import { randomStream } from "@ciphernx/ai/random";
import { simulate } from "@ciphernx/ai/simulation";
import { parseRunSpec, type RunPlan, type RunSpecInput } from "@ciphernx/ai/spec";
import { tasks } from "@ciphernx/core/store";
import { sign } from "@ciphernx/crypto/keys";
import type { Sha256 } from "@ciphernx/core/blobs";
import { TaskKind } from "@ciphernx/protocol/proto";
import { reportBytes } from "@ciphernx/protocol/wire";
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestSession, registerRows, rowsSpec, startWork, testCoordinator, type TestCoordinator } from "./test-coordinator.fixture.ts";

const SCHEMA: DatasetSchema = { kind: "tensor", shape: [2], element: "f32", scale: 1, task: "classification", classes: 2 };

/** Rows of two classes that overlap. */
function rowsOf(party: string, trainCount: number, testCount: number): PartyDataset {
  const random = randomStream(5, "rows", party);
  const draw = (count: number) => {
    const examples = allocateExamples(SCHEMA, count, { shared: true });
    for (let row = 0; row < count; row += 1) {
      examples.targets[row] = random.uint32() % 2;
      for (let column = 0; column < 2; column += 1) {
        examples.features[row * 2 + column] = (examples.targets[row] === column ? 0.5 : 0) + random.uint32() / 2 ** 32 - 0.5;
      }
    }
    return examples;
  };
  return { party, dataset: createDataset(SCHEMA, draw(trainCount), draw(testCount)) };
}

const METRICS = ["loss", "correct", "auc", "f1", "calibration"];
const PARTIES = [rowsOf("ash", 40, 31), rowsOf("birch", 50, 17)];
/** Speaks by hand, and lies. */
const M = rowsOf("m", 30, 20);

function spec(changes: Partial<RunSpecInput> = {}): RunSpecInput {
  return rowsSpec({
    data: { dataset: "rows", parties: ["ash", "birch"] },
    ...{ model: { kind: "logistic" }, evaluate: { metrics: METRICS }, rounds: 2 },
    ...changes,
  });
}

let lent: TestCoordinator;
let m: NodeIdentity;
let session: NodeSession;
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  lent = stack.use(await testCoordinator());
  for (const rows of PARTIES) stack.use(await startWork(lent.url, await lent.join(rows.party), { rows }));
  m = await lent.join("m");
  session = await openTestSession(lent.url, m);
  stack.use(session.transport);
  await registerRows(session, "rows", M);
});
afterAll(() => stack.disposeAsync());

/** The evaluated figures of each round of a run that is over. */
async function evaluatedOf(id: string): Promise<readonly unknown[]> {
  const { rounds } = await lent.nexus.runs.handle(id).show();
  return rounds.map(({ metricsJson }) => (JSON.parse(metricsJson) as { readonly evaluated: unknown }).evaluated);
}

/** Answers m's next task: a fit honestly, with an update of zeros, an evaluation with a score that five hundred rows share. */
async function answerAndLie(): Promise<TaskKind> {
  const { task } = await session.call((client) => client.nextTask({ waitMs: 20_000 }));
  if (task === undefined) throw new Error("No task came.");
  const plan = JSON.parse(task.planJson) as RunPlan;
  const tally = createTally(plan.heldOutMetrics ?? [], { classes: 2 });
  tally.add(new Float32Array(20).fill(0.75), M.dataset.test!.targets);
  const sums = task.kind === TaskKind.FIT ? {} : { ...tally.sums(), "auc.1.255": 500 };
  const weight = task.kind === TaskKind.FIT ? 30 : 20;
  const metrics = { loss: 1, correct: 10 };
  const { vector } = encodeUpdate({
    kernel: await loadAggregationKernel(),
    delta: new Float32Array(task.kind === TaskKind.FIT ? plan.model.parameters : 0),
    ...{ weight, metrics: { ...metrics, ...sums }, encoding: plan.encoding, metricNames: [...plan.metricNames, ...Object.keys(sums)] },
  });
  const file = encodeUpdateFile(vector);
  const blobHash = createHash("sha256").update(file).digest("hex") as Sha256;
  const { taskId, runId, round, attempt, specHash, planHash, baseModelHash } = task;
  const report = { taskId, runId, round, attempt, specHash, planHash, baseModelHash, blobHash, weight: BigInt(weight), metrics };
  const signature = await sign(m.key, reportBytes(report));
  await session.call(() => session.transport.blobs.put(file, { hash: blobHash, sizeBytes: file.length, taskId }));
  const sent = session.call((client) => client.report({ ...report, signature, durationMs: 1 }));
  if (task.kind === TaskKind.FIT) await sent;
  else await expect(sent).rejects.toMatchObject({ code: "UPDATE_REJECTED", message: expect.stringContaining("its weight is 20") as string });
  return task.kind;
}

describe("metrics that are no means, over sockets", () => {
  it("are what the simulation gives, round by round, with rows and reports that carry only the means", async () => {
    const run = await lent.nexus.runs.start(spec());
    const { card, modelHash } = await run.result();
    const simulated = await simulate({ spec: parseRunSpec(spec()), parties: PARTIES, workers: 2 });
    expect(simulated.modelHash).toBe(modelHash);
    const found = await evaluatedOf(run.id);
    expect(found).toEqual(simulated.rounds.map(({ evaluated }) => evaluated));
    expect(Object.keys(found[1] as object).toSorted()).toEqual(["accuracy", "auc", "calibration", "f1", "loss"]);
    expect(card).toMatchObject({ metrics: { evaluated: found[1] } });

    const all = (await lent.coordinator.store.db.select().from(tasks)).filter(({ runId }) => runId === run.id);
    expect(all.map(({ metrics }) => Object.keys(metrics as object).toSorted())).toEqual(all.map(() => ["correct", "loss"]));
    const planned = await lent.nexus.runs.plan(spec());
    if (!planned.ok) throw new Error("The spec is refused.");
    expect(all.reduce((sum, { bytesUp }) => sum + bytesUp, 0)).toBe(planned.plan.totalBytes.up);
  });

  it("are without a party that lies about its histogram, which is named", async () => {
    const three = spec({ data: { dataset: "rows", parties: ["ash", "birch", "m"] }, rounds: 1 });
    const run = await lent.nexus.runs.start(three);
    expect([await answerAndLie(), await answerAndLie()]).toEqual([TaskKind.FIT, TaskKind.EVALUATE]);
    await run.result();
    const refusals = [];
    for await (const event of run.events({ follow: false })) if (event.type === "answer-refused") refusals.push(event.payload);
    expect(refusals).toEqual([expect.objectContaining({ kind: "evaluate", party: "m", code: "UPDATE_REJECTED" })]);
    const { rounds } = await run.show();
    const judges = rounds[0]!.participations.filter(({ kind }) => kind === "evaluate");
    expect(judges.map(({ party, state, weight }) => [party, state, Number(weight)])).toEqual([
      ["ash", "accepted", 31],
      ["birch", "accepted", 17],
      ["m", "rejected", 0],
    ]);
    const [evaluated] = (await evaluatedOf(run.id)) as readonly Readonly<Record<string, number>>[];
    expect(Object.keys(evaluated!)).toContain("auc");
    expect(evaluated!["auc"]).toBeLessThanOrEqual(1);
  });
});
