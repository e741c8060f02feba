import { createHash } from "node:crypto";
import { folderRoster, folderSumJournal, loadIdentity, type SumJournal } from "@ciphernx/ai/federation/node";
import { addNode } from "@ciphernx/ai/federation/organisation";
import type { RunSpecInput } from "@ciphernx/ai/spec";
import { tasks } from "@ciphernx/core/store";
import { and, eq } from "@ciphernx/core/store/sql";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleWorker, launchTrusting, openPage, order, startWorker } from "./browser-page.fixture.ts";
import type { BrowserNodeOrder } from "./browser-node.worker.ts";
import { HAS_CHROMIUM } from "./people/chromium.fixture.ts";
import { type RosteredProject, rosteredProject } from "./rostered-project.fixture.ts";
import { classRows, eventually, rowsSpec, startWork, testCoordinator, type TestCoordinator, type WorkingNode } from "./test-coordinator.fixture.ts";

const IN_NODE = ["ash", "birch"];
/** Without a word on protection: a run is protected unless its spec says otherwise. */
const { protection: _, ...SPEC } = rowsSpec({ encoding: { range: 1, bits: 16 }, evaluate: { metrics: ["loss", "correct", "f1"] } });
const ONE_ROUND: Partial<RunSpecInput> = { rounds: 1, evaluate: { every: 0 }, cohort: { attempts: 3 } };

let lent: TestCoordinator;
let project: RosteredProject;
let page: Page;
let origin: string;
const nodes = new Map<string, WorkingNode>();
const stack = new AsyncDisposableStack();

/** Three organisations, two with a node of Node, one with a page of Chromium. */
beforeAll(async () => {
  if (!HAS_CHROMIUM) return;
  lent = stack.use(await testCoordinator({ tls: { listen: { host: "127.0.0.1", port: 0 }, publicNames: ["localhost"] } }));
  project = stack.use(await rosteredProject(lent, new Map(IN_NODE.map((name) => [name, `org-of-${name}`])), ["org-of-cedar"]));
  stack.defer(async () => {
    for (const node of nodes.values()) await node[Symbol.asyncDispose]();
  });
  for (const name of IN_NODE) await work(name);
  origin = `https://localhost:${new URL(lent.coordinator.tls!.url).port}`;
  const browser = stack.use(await launchTrusting(lent, origin));
  ({ page } = await openPage(await browser.newContext(), origin, await bundleWorker()));

  const { organisation, access } = project.members.get("org-of-cedar")!;
  const { token } = await lent.nexus.nodes.createJoinToken();
  const anchor = { organisation: "org-of-cedar", key: organisation.publicKey, project: (await lent.nexus.status()).projectId };
  const starting = startWorker(page, { ...cedar(token), anchor });
  const keyOf = async () => (await lent.nexus.nodes.list()).find(({ name }) => name === "cedar")?.publicKeyHex;
  const key = await Promise.race([eventually(keyOf), starting.then(() => "let in without its organisation")]);
  await addNode(access, organisation, { node: "cedar", key });
  await starting;
}, 120_000);
afterAll(() => stack.disposeAsync());

const cedar = (token?: string): BrowserNodeOrder => order("cedar", classRows("cedar", 30, 10), { origin, token, signs: true });
const start = (changes: Partial<RunSpecInput> = {}) => lent.nexus.runs.start({ ...SPEC, ...changes }, { signer: project.signer });

/** Starts a node of Node that has joined, over what its folder keeps. */
async function work(name: string, changes: Partial<SumJournal> = {}): Promise<void> {
  const folder = lent.folderOf(name);
  const { identity } = await loadIdentity(folder);
  const kept = { roster: await folderRoster(folder, identity), sums: { ...folderSumJournal(folder), ...changes } };
  nodes.set(name, await startWork(lent.url, identity, { rows: classRows(name, 30, 10), ...kept }));
}

/** Starts it anew, to be killed before it has noted an answer; `end` resolves once it is dead. */
async function killedBeforeAnswer(name: string): Promise<{ readonly end: Promise<void> }> {
  await nodes.get(name)![Symbol.asyncDispose]();
  const { append } = folderSumJournal(lent.folderOf(name));
  const ended = Promise.withResolvers<void>();
  await work(name, {
    async append(entry) {
      if (entry.step !== "answered") return append(entry);
      // The node's signal is aborted before its journal fails: nothing that comes after leaves it.
      nodes.get(name)![Symbol.asyncDispose]().then(ended.resolve, ended.reject);
      throw new Error("killed");
    },
  });
  return { end: ended.promise };
}

/** The page is loaded anew, and stops in the next protected sum; `stopped` resolves when it stands there, with what it had kept. */
async function reload(stopsAt?: BrowserNodeOrder["stopsAt"]): Promise<{ readonly stopped: () => Promise<Buffer> }> {
  await page.reload();
  const { said } = await startWorker(page, { ...cedar(), ...(stopsAt === undefined ? {} : { stopsAt }) });
  const stopped = () => eventually(async () => (await said()).find(({ type }) => type === "stopped"));
  return { stopped: async () => Buffer.from((await stopped()).kept!) };
}

/** Resolves once bytes have left the browser, as they are, over a WebSocket that was opened after this was called. */
function sent(bytes: Buffer): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  page.on("websocket", (socket) =>
    socket.on("framesent", ({ payload }) => {
      if (Buffer.from(payload).includes(bytes)) resolve();
    }),
  );
  return promise;
}

const tasksOfCedar = (runId: string) =>
  lent.coordinator.store.db
    .select({ attempt: tasks.attempt, code: tasks.reasonCode, reason: tasks.reason, hash: tasks.blobHash, weight: tasks.weight })
    .from(tasks)
    .where(and(eq(tasks.runId, runId), eq(tasks.party, "cedar"), eq(tasks.kind, "fit")))
    .orderBy(tasks.round, tasks.attempt);

describe.skipIf(!HAS_CHROMIUM)(`a browser's tab in a protected sum${HAS_CHROMIUM ? "" : " (skipped: there is no Chromium)"}`, () => {
  it("masks beside nodes of Node, and the model is that of a run without protection", { timeout: 120_000 }, async () => {
    const open = await (await start({ protection: { kind: "none" } })).result();
    const run = await start();
    expect((await run.result()).modelHash).toBe(open.modelHash);
    const { rounds } = await run.show();
    const steps = rounds.flatMap(({ sums }) => sums.map(({ kind, steps: taken }) => [kind, ...taken.map(({ taken: parties }) => parties)]));
    expect(steps).toEqual(["fit", "fit", "fit", "evaluate"].map((kind) => [kind, 3, 3, 3, 3, 3]));
    expect((await tasksOfCedar(run.id)).map(({ weight }) => weight)).toEqual(rounds.map(() => 0));
  });

  it("sends exactly the vector that it had made ready when its page was closed", { timeout: 120_000 }, async () => {
    const open = await (await start({ ...ONE_ROUND, protection: { kind: "none" } })).result();
    const { stopped } = await reload("masked");
    const run = await start(ONE_ROUND);
    const masked = await stopped();
    await reload();
    expect((await run.result()).modelHash).toBe(open.modelHash);
    const [first, second] = await tasksOfCedar(run.id);
    expect(first).toMatchObject({ attempt: 1, hash: createHash("sha256").update(masked).digest("hex") });
    // All three were needed to unmask it, and the browser's shares went with its page: the next attempt has other masks.
    expect(second).toMatchObject({ attempt: 2, hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
    expect(second!.hash).not.toBe(first!.hash);
  });

  it("takes no part in an attempt whose keys went with its page, and does in the next", { timeout: 120_000 }, async () => {
    const { stopped } = await reload("begun");
    const run = await start(ONE_ROUND);
    await stopped();
    await reload();
    await run.result();
    expect(await tasksOfCedar(run.id)).toMatchObject([
      { attempt: 1, code: "SUM_REFUSED", hash: null },
      { attempt: 2, code: null },
    ]);
  });

  it("sends exactly the answer that it had given when its page was closed", { timeout: 120_000 }, async () => {
    const open = await (await start({ ...ONE_ROUND, protection: { kind: "none" } })).result();
    const { stopped } = await reload("answered");
    const run = await start(ONE_ROUND);
    const answer = await stopped();
    expect(answer.length).toBeGreaterThan(64);
    const isSent = sent(answer);
    await reload();
    expect((await run.result()).modelHash).toBe(open.modelHash);
    await isSent;
    expect(await tasksOfCedar(run.id)).toMatchObject([{ attempt: 1, code: null }]);
  });

  it("helps to unmask no second sum of a round, though its page was loaded anew in between", { timeout: 120_000 }, async () => {
    // Of attempt 1 the browser alone gives its shares away: in attempt 2 nobody but it has something to refuse.
    const killed = [await killedBeforeAnswer("ash"), await killedBeforeAnswer("birch")];
    const { stopped } = await reload("answered");
    const run = await start({ ...ONE_ROUND, cohort: { attempts: 2 } });
    await stopped();
    for (const { end } of killed) await end;
    await reload();
    for (const name of IN_NODE) await work(name);
    await expect(run.result()).rejects.toMatchObject({ code: "RUN_FAILED" });
    expect(await tasksOfCedar(run.id)).toMatchObject([
      { attempt: 1, code: null },
      {
        ...{ attempt: 2, code: "SUM_REFUSED", hash: null },
        reason: expect.stringContaining("cedar takes no part in attempt 2 at round 1: this node helped to unmask attempt 1") as string,
      },
    ]);
  });
});
