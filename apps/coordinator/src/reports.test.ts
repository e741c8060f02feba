import { createHash } from "node:crypto";
import { encodeUpdate, encodeUpdateFile, loadAggregationKernel, vectorLayout } from "@ciphernx/ai/aggregation";
import type { RunHandle } from "@ciphernx/ai/client";
import type { NodeIdentity, NodeSession } from "@ciphernx/ai/federation/node";
import type { RunPlan } from "@ciphernx/ai/spec";
import type { Sha256 } from "@ciphernx/core/blobs";
import type { ErrorCode } from "@ciphernx/core/errors";
import { generateSigningKey, sign } from "@ciphernx/crypto/keys";
import type { Task } from "@ciphernx/protocol/proto";
import { reportBytes, type SignedReport } from "@ciphernx/protocol/wire";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  classRows,
  eventually,
  openTestSession,
  registerRows,
  rowsSpec,
  startWork,
  testCoordinator,
  type TestCoordinator,
} from "./test-coordinator.fixture.ts";

/** Party `m` speaks by hand; `ash` and `birch` work as they should, and are enough for the quorum. */
const ROWS = { ash: classRows("ash", 20, 4), birch: classRows("birch", 25, 4), m: classRows("m", 30, 4) };
let lent: TestCoordinator;
let m: NodeIdentity;
let session: NodeSession;
const stack = new AsyncDisposableStack();

async function openSession(): Promise<void> {
  session = await openTestSession(lent.url, m);
  stack.use(session.transport);
}

beforeAll(async () => {
  lent = stack.use(await testCoordinator());
  for (const name of ["ash", "birch"] as const) stack.use(await startWork(lent.url, await lent.join(name), { rows: ROWS[name] }));
  m = await lent.join("m");
  await openSession();
  await registerRows(session, "rows", ROWS.m);
});
afterAll(() => stack.disposeAsync());

const SPEC = rowsSpec({ rounds: 1, cohort: { quorum: 2, deadlineSeconds: 30 }, evaluate: { every: 0 }, encoding: { bits: 12, range: 1 } });

async function nextTask(): Promise<Task> {
  const { task } = await session.call((client) => client.nextTask({ waitMs: 20_000 }));
  if (task === undefined) throw new Error("No task came.");
  return task;
}

/** Starts a run and waits for `m`'s task in it. */
async function startTask(): Promise<{ readonly run: RunHandle; readonly task: Task; readonly plan: RunPlan }> {
  const run = await lent.nexus.runs.start(SPEC);
  const task = await nextTask();
  expect(task).toMatchObject({ runId: run.id, party: "m", round: 1 });
  return { run, task, plan: JSON.parse(task.planJson) as RunPlan };
}

/** An answer as an honest node makes it: an update of zeros. */
interface Answer {
  vector: Int16Array;
  report: SignedReport;
}

async function honest(task: Task, plan: RunPlan): Promise<Answer> {
  const weight = ROWS.m.dataset.train.count;
  const metrics = { loss: 12.5, correct: 7 };
  const { vector } = encodeUpdate({
    kernel: await loadAggregationKernel(),
    delta: new Float32Array(plan.model.parameters),
    ...{ weight, metrics, encoding: plan.encoding, metricNames: plan.metricNames },
  });
  const { taskId, runId, round, attempt, specHash, planHash, baseModelHash } = task;
  return {
    vector: vector as Int16Array,
    report: { taskId, runId, round, attempt, specHash, planHash, baseModelHash, blobHash: "", weight: BigInt(weight), metrics },
  };
}

function sha256(bytes: Uint8Array): Sha256 {
  return createHash("sha256").update(bytes).digest("hex") as Sha256;
}

async function upload(taskId: string, file: Uint8Array, hash: Sha256 = sha256(file)): Promise<void> {
  await session.call(() => session.transport.blobs.put(file, { hash, sizeBytes: file.length, taskId }));
}

async function send(report: SignedReport, key = m.key): Promise<void> {
  const signature = await sign(key, reportBytes(report));
  await session.call((client) => client.report({ ...report, metrics: { ...report.metrics }, signature, durationMs: 4_294_967_295 }));
}

/** Uploads a file and reports it. */
async function answer(report: SignedReport, file: Uint8Array): Promise<void> {
  await upload(report.taskId, file);
  await send({ ...report, blobHash: sha256(file) });
}

/** The run ends well; says how `m` stands in it. */
async function endOf(run: RunHandle): Promise<{ readonly state: string; readonly reason: string; readonly accepted: readonly string[] }> {
  await run.result();
  const { rounds } = await run.show();
  const { participations } = rounds.at(-1)!;
  const own = participations.find(({ party }) => party === "m")!;
  return { state: own.state, reason: own.reason, accepted: participations.filter(({ state }) => state === "accepted").map(({ party }) => party) };
}

/** The event that names party, round and reason. */
async function refusalsIn(run: RunHandle) {
  const payloads = [];
  for await (const event of run.events({ follow: false })) if (event.type === "answer-refused") payloads.push(event.payload);
  return payloads;
}

describe("a wrong answer is refused with its reason, its task ends, and the round goes on without it", () => {
  /** Bends an honest answer; may give the file to send instead of the vector's. */
  type Bend = (answer: Answer, plan: RunPlan) => Uint8Array | void;
  const other = "f".repeat(64);
  const bends: readonly (readonly [string, Bend, string])[] = [
    ["another run", ({ report }) => void Object.assign(report, { runId: "run_other" }), "names the run run_other; the task is for run_"],
    ["another round", ({ report }) => void Object.assign(report, { round: 2 }), "names the round 2; the task is for 1"],
    ["another attempt", ({ report }) => void Object.assign(report, { attempt: 7 }), "names the attempt 7; the task is for 1"],
    ["another spec", ({ report }) => void Object.assign(report, { specHash: other }), `names the spec hash ${other}`],
    ["another base model", ({ report }) => void Object.assign(report, { baseModelHash: other }), `names the base model ${other}`],
    ["an integer above the levels of 12 bits", ({ vector }) => void (vector[3] = 2048), "2048"],
    ["the one value below them", ({ vector }) => void (vector[0] = -2048), "-2048"],
    [
      "a report with another weight than the vector's",
      ({ report }) => void Object.assign(report, { weight: 29n }),
      "The vector has the weight 30, the report 29.",
    ],
    [
      "a report with another sum",
      ({ report }) => void Object.assign(report, { metrics: { loss: 12.5, correct: 8 } }),
      'The vector has 7 for the metric "correct", the report 8.',
    ],
    [
      "a report with a sum that is no number",
      ({ report }) => void Object.assign(report, { metrics: { loss: NaN, correct: 7 } }),
      'for the metric "loss", the report NaN.',
    ],
    ["a report without a sum", ({ report }) => void Object.assign(report, { metrics: { loss: 12.5 } }), 'Only the vector has the metric "correct".'],
    [
      "a report with a sum too many",
      ({ report }) => void Object.assign(report, { metrics: { loss: 12.5, correct: 7, rows: 1 } }),
      'Only the report has the metric "rows".',
    ],
    [
      "more weight than the plan allows",
      ({ vector, report }, plan) => {
        vector[plan.model.parameters] = 31;
        Object.assign(report, { weight: 31n });
      },
      "Its weight is 31; the plan allows 30 at most.",
    ],
    [
      "no weight",
      ({ vector, report }, plan) => {
        vector[plan.model.parameters] = 0;
        Object.assign(report, { weight: 0n });
      },
      "It has no weight.",
    ],
    [
      "more clipped coordinates than there are",
      ({ vector }, plan) => void (vector[vectorLayout(plan.model.parameters, plan.metricNames, plan.encoding).length - 1] = 1),
      "clipped coordinates",
    ],
    ["another tensor's name", ({ vector }) => encodeUpdateFile(vector).map((byte, index) => (index === 10 ? "k".charCodeAt(0) : byte)), "rejected"],
    ["another dtype", ({ vector }) => encodeUpdateFile(Int8Array.from({ length: vector.length * 2 })), "rejected"],
    ["a truncated file", ({ vector }) => encodeUpdateFile(vector).subarray(0, -2), "bytes; task"],
    ["an oversized file", ({ vector }) => new Uint8Array([...encodeUpdateFile(vector), 0]), "bytes; task"],
    ["random bytes", ({ vector }) => encodeUpdateFile(vector).fill(7), "rejected"],
  ];

  it.each(bends)("%s", async (_name, bend, reason) => {
    const { run, task, plan } = await startTask();
    const bent = await honest(task, plan);
    const file = bend(bent, plan) ?? encodeUpdateFile(bent.vector);
    await expect(answer(bent.report, file)).rejects.toMatchObject({ code: "UPDATE_REJECTED", message: expect.stringContaining(reason) as string });
    expect(await endOf(run)).toEqual({
      state: "rejected",
      reason: expect.stringMatching(/^UPDATE_REJECTED: /) as string,
      accepted: ["ash", "birch"],
    });
    expect(await refusalsIn(run)).toEqual([
      { round: 1, attempt: 1, kind: "fit", party: "m", code: "UPDATE_REJECTED", message: expect.stringContaining(reason) as string },
    ]);
    await expect(answer((await honest(task, plan)).report, encodeUpdateFile((await honest(task, plan)).vector))).rejects.toMatchObject({
      code: "TASK_CLOSED",
    });
  });

  it("a trainer that failed says why in its own words", async () => {
    const { run, task, plan } = await startTask();
    const { report } = await honest(task, plan);
    await send({ ...report, weight: 0n, metrics: {}, failure: { code: "NO_SUCH_CODE", message: `out of memory\0${"!".repeat(3_000)}` } });
    const end = await endOf(run);
    expect(end).toMatchObject({ state: "failed", accepted: ["ash", "birch"] });
    expect(end.reason).toMatch(/^TRAINER_FAILED: out of memory\u{FFFD}!+$/u);
    expect(end.reason.length).toBeLessThan(2_100);
  });

  it("a node that comes back with other kernels is refused, and so is a run that would need it", async () => {
    const run = await lent.nexus.runs.start(SPEC);
    const foreign = await openTestSession(lent.url, m, "another build");
    await using after = new AsyncDisposableStack();
    after.defer(openSession);
    after.use(foreign.transport);
    await expect(foreign.call((client) => client.nextTask({ waitMs: 20_000 }))).rejects.toMatchObject({ code: "KERNEL_MISMATCH" });
    expect(await endOf(run)).toMatchObject({
      state: "failed",
      reason: expect.stringMatching(/^KERNEL_MISMATCH: The node trains with another build/) as string,
      accepted: ["ash", "birch"],
    });
    await expect(lent.nexus.runs.start(SPEC)).rejects.toMatchObject({
      code: "SPEC_REFUSED",
      message: expect.stringContaining("m (another build)") as string,
    });
  });
});

describe("an answer that is not the task's leaves the task open", () => {
  /** Something that is refused, after which the honest answer is accepted. */
  type Attempt = (honestly: Answer, file: Uint8Array) => Promise<unknown>;
  const attempts: readonly (readonly [string, Attempt, ErrorCode])[] = [
    [
      "an unknown task",
      async ({ report }, file) => (await upload(report.taskId, file), send({ ...report, taskId: "tsk_unknown", blobHash: sha256(file) })),
      "FORBIDDEN",
    ],
    ["an upload for an unknown task", (_honestly, file) => upload("tsk_unknown", file), "FORBIDDEN"],
    [
      "another key's signature",
      async ({ report }, file) => (await upload(report.taskId, file), send({ ...report, blobHash: sha256(file) }, await generateSigningKey())),
      "SIGNATURE_INVALID",
    ],
    ["a blob that was not uploaded", ({ report }) => send({ ...report, blobHash: "a".repeat(64) }), "BLOB_NOT_FOUND"],
    ["no blob at all", ({ report }) => send(report), "BLOB_NOT_FOUND"],
    ["bytes of another hash", ({ report }, file) => upload(report.taskId, file, "b".repeat(64) as Sha256), "BLOB_CORRUPT"],
    ["a blob that no task of it needs", () => session.transport.blobs.get("c".repeat(64) as Sha256), "FORBIDDEN"],
    ["an upload without a task", (_honestly, file) => session.transport.blobs.put(file, { hash: sha256(file), sizeBytes: file.length }), "FORBIDDEN"],
  ];

  it.each(attempts)("%s", async (_name, attempt, code) => {
    const { run, task, plan } = await startTask();
    const honestly = await honest(task, plan);
    const file = encodeUpdateFile(honestly.vector);
    await expect(attempt(honestly, file)).rejects.toMatchObject({ code });
    await answer(honestly.report, file);
    expect(await endOf(run)).toEqual({ state: "accepted", reason: "", accepted: ["ash", "birch", "m"] });
    expect(await refusalsIn(run)).toEqual([]);
  });

  it("another node's task, and another node's base model once its own task is over", async () => {
    const { run, task, plan } = await startTask();
    const { report, vector } = await honest(task, plan);
    const { rounds } = await run.show();
    const { store } = lent.coordinator;
    const foreign = await store.db.query.tasks.findFirst({
      where: (tasks, { and, eq, ne }) => and(eq(tasks.runId, run.id), ne(tasks.nodeId, m.nodeId)),
    });
    await expect(send({ ...report, taskId: foreign!.id })).rejects.toMatchObject({ code: "FORBIDDEN" });
    await expect(upload(foreign!.id, encodeUpdateFile(vector))).rejects.toMatchObject({ code: "FORBIDDEN" });
    const base = rounds[0]!.baseModelHash as Sha256;
    await expect(session.transport.blobs.get(base)).resolves.toHaveLength(plan.model.sizeBytes);
    await answer(report, encodeUpdateFile(vector));
    await expect(session.transport.blobs.get(base)).rejects.toMatchObject({ code: "FORBIDDEN" });
    await run.result();
  });

  it("a report that was accepted is not taken twice", async () => {
    const { run, task, plan } = await startTask();
    const { report, vector } = await honest(task, plan);
    const file = encodeUpdateFile(vector);
    await answer(report, file);
    await expect(send({ ...report, blobHash: sha256(file) })).rejects.toMatchObject({ code: "TASK_CLOSED" });
    await expect(upload(task.taskId, file)).rejects.toMatchObject({ code: "TASK_CLOSED" });
    expect(await endOf(run)).toMatchObject({ state: "accepted" });
  });

  it("an answer that comes after the round has closed is not taken", async () => {
    const { run, task, plan } = await startTask();
    const { report, vector } = await honest(task, plan);
    await upload(task.taskId, encodeUpdateFile(vector));
    await run.stop();
    await expect(run.result()).rejects.toMatchObject({ code: "RUN_FAILED", message: expect.stringContaining("stopped") as string });
    await expect(send({ ...report, blobHash: sha256(encodeUpdateFile(vector)) })).rejects.toMatchObject({ code: "TASK_CLOSED" });
    expect(await session.call((client) => client.heartbeat({ taskIds: [task.taskId] }))).toMatchObject({ cancelledTaskIds: [task.taskId] });
    // Resumed, it begins the round anew.
    await run.resume();
    const again = await nextTask();
    expect(again).toMatchObject({ runId: run.id, round: 1, attempt: 2 });
    const second = await honest(again, plan);
    await answer(second.report, encodeUpdateFile(second.vector));
    expect(await endOf(run)).toMatchObject({ state: "accepted" });
  });
});

describe("an update that cannot be encoded", () => {
  it.each([
    ["is not finite", NaN, "UPDATE_REJECTED: Coordinate 0 of 43 of the update is NaN."],
    ["is infinite", Infinity, "UPDATE_REJECTED: Coordinate 0 of 43 of the update is Infinity."],
  ])("%s: the node refuses to send it, and says so", async (_name, value, reason) => {
    await using node = await startWork(lent.url, m, {
      rows: ROWS.m,
      change: (trainer) => ({
        ...trainer,
        fit: async (task) => ({ ...(await trainer.fit(task)), parameters: new Float32Array(task.parameters.length).fill(value) }),
      }),
    });
    const run = await lent.nexus.runs.start(SPEC);
    expect(await endOf(run)).toEqual({ state: "failed", reason, accepted: ["ash", "birch"] });
    const [refusal] = await refusalsIn(run);
    expect(refusal).toMatchObject({ party: "m", round: 1 });
    await eventually(() => node.events.find((event) => event.type === "answered" && event.answer.kind === "failed"));
  });
});
