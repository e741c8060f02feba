import { createHash } from "node:crypto";
import http from "node:http";
import { encodeUpdate, encodeUpdateFile, loadAggregationKernel } from "@ciphernx/ai/aggregation";
import { type NodeIdentity, type NodeSession, openSession, SOFTWARE_VERSION } from "@ciphernx/ai/federation/node";
import { loadKernel } from "@ciphernx/ai/nn";
import type { RunPlan } from "@ciphernx/ai/spec";
import { sign } from "@ciphernx/crypto/keys";
import type { Task } from "@ciphernx/protocol/proto";
import { reportBytes } from "@ciphernx/protocol/wire";
import { connectTransport } from "@ciphernx/protocol/wire/connect";
import { afterAll, beforeAll, expect, it } from "vitest";
import { classRows, eventually, registerRows, rowsSpec, startWork, testCoordinator, type TestCoordinator } from "./test-coordinator.fixture.ts";

/** `m` speaks by hand; `ash` works as it should. */
const ROWS = { ash: classRows("ash", 20, 4), m: classRows("m", 30, 4) };
const stack = new AsyncDisposableStack();
let lent: TestCoordinator;
let m: NodeIdentity;

beforeAll(async () => {
  lent = stack.use(await testCoordinator());
  stack.use(await startWork(lent.url, await lent.join("ash"), { rows: ROWS.ash }));
  m = await lent.join("m");
});
afterAll(() => stack.disposeAsync());

/** A session of a node, and its token. */
async function speak(identity: NodeIdentity): Promise<{ readonly session: NodeSession; readonly token: string }> {
  let source: () => string | undefined = () => undefined;
  const session = await openSession({
    identity,
    kernelBuild: (await loadKernel()).build,
    softwareVersion: SOFTWARE_VERSION,
    connect: (token) => connectTransport({ baseUrl: lent.url, token: (source = token) }),
  });
  stack.use(session.transport);
  return { session, token: source()! };
}

/** An update of zeros, as a file. */
async function emptyUpdate(plan: RunPlan): Promise<Uint8Array<ArrayBuffer>> {
  const { encoding, metricNames } = plan;
  const delta = new Float32Array(plan.model.parameters);
  const weight = ROWS.m.dataset.train.count;
  const { vector } = encodeUpdate({
    kernel: await loadAggregationKernel(),
    delta,
    weight,
    metrics: { loss: 12.5, correct: 7 },
    encoding,
    metricNames,
  });
  return encodeUpdateFile(vector);
}

/** Sends a part of a file and falls silent. */
async function sendPart(token: string, taskId: string, file: Uint8Array, partBytes: number): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, "content-length": file.length };
  const request = http.request(`${lent.url}/blobs/${sha256(file)}?task=${taskId}`, { method: "PUT", headers });
  request.on("error", () => {}); // the coordinator hangs up when the node comes back
  await new Promise((resolve) => request.write(file.subarray(0, partBytes), resolve));
}

async function ask(token: string, taskId: string, file: Uint8Array, sizeBytes = file.length) {
  const headers = { authorization: `Bearer ${token}`, "upload-length": String(sizeBytes) };
  const { status, headers: said } = await fetch(`${lent.url}/blobs/${sha256(file)}?task=${taskId}&upload`, { method: "HEAD", headers });
  return { status, offset: said.get("upload-offset"), complete: said.get("upload-complete") };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

it("a node goes on with its upload under its next session, nobody else does, and the answer counts", async () => {
  const first = await speak(m);
  await registerRows(first.session, "rows", ROWS.m);
  const run = await lent.nexus.runs.start(rowsSpec({ rounds: 1, cohort: { quorum: 2, deadlineSeconds: 30 }, evaluate: { every: 0 } }));
  const task: Task = await eventually(async () => (await first.session.call((client) => client.nextTask({ waitMs: 20_000 }))).task);
  const file = await emptyUpdate(JSON.parse(task.planJson) as RunPlan);
  const half = file.length >> 1;
  await eventually(async () => {
    // A coordinator that is slow to read has nothing yet.
    await sendPart(first.token, task.taskId, file, half);
    return (await ask(first.token, task.taskId, file)).offset === String(half) ? true : undefined;
  });

  const second = await speak(m);
  expect(await ask(second.token, task.taskId, file)).toEqual({ status: 204, offset: String(half), complete: "?0" });
  expect(await ask(first.token, task.taskId, file)).toMatchObject({ status: 401 });
  const stranger = await speak(await lent.join("stranger"));
  expect(await ask(stranger.token, task.taskId, file)).toMatchObject({ status: 403 });
  const put = (token: string, offset: number) =>
    fetch(`${lent.url}/blobs/${sha256(file)}?task=${task.taskId}`, {
      method: "PUT",
      headers: { authorization: `Bearer ${token}`, "upload-offset": String(offset) },
      body: file.subarray(offset),
    });
  expect((await put(stranger.token, half)).status).toBe(403);
  expect((await put(second.token, half - 1)).status).toBe(409);
  expect((await put(second.token, half)).status).toBe(201);
  expect(await ask(second.token, task.taskId, file)).toEqual({ status: 204, offset: String(file.length), complete: "?1" });

  const { taskId, runId, round, attempt, specHash, planHash, baseModelHash } = task;
  const weight = BigInt(ROWS.m.dataset.train.count);
  const report = {
    taskId,
    runId,
    round,
    attempt,
    specHash,
    planHash,
    baseModelHash,
    blobHash: sha256(file),
    weight,
    metrics: { loss: 12.5, correct: 7 },
  };
  const signature = await sign(m.key, reportBytes(report));
  await second.session.call((client) => client.report({ ...report, signature, durationMs: 1 }));
  await run.result();
  const { rounds } = await run.show();
  const states = Object.fromEntries(rounds.at(-1)!.participations.map(({ party, state }) => [party, state]));
  expect(states).toEqual({ ash: "accepted", m: "accepted" });
  // The task is over: nothing can be asked or sent for it.
  expect(await ask(second.token, task.taskId, file)).toMatchObject({ status: 409 });
});
