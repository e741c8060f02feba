import { folderRoster, folderSumJournal, loadIdentity } from "@ciphernx/ai/federation/node";
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
import { classRows, eventually, rowsSpec, startWork, testCoordinator, type TestCoordinator } from "./test-coordinator.fixture.ts";

const IN_NODE = ["ash", "birch"];
const SPEC = rowsSpec({ encoding: { range: 1, bits: 16 }, evaluate: { metrics: ["loss", "correct", "f1"] } });

let lent: TestCoordinator;
let project: RosteredProject;
let page: Page;
let origin: string;
const stack = new AsyncDisposableStack();

/** Three organisations, two with a node of Node, one with a page of Chromium. */
beforeAll(async () => {
  if (!HAS_CHROMIUM) return;
  lent = stack.use(await testCoordinator({ tls: { listen: { host: "127.0.0.1", port: 0 }, publicNames: ["localhost"] } }));
  project = stack.use(await rosteredProject(lent, new Map(IN_NODE.map((name) => [name, `org-of-${name}`])), ["org-of-cedar"]));
  for (const name of IN_NODE) {
    const folder = lent.folderOf(name);
    const { identity } = await loadIdentity(folder);
    const kept = { roster: await folderRoster(folder, identity), sums: folderSumJournal(folder) };
    stack.use(await startWork(lent.url, identity, { rows: classRows(name, 30, 10), ...kept }));
  }
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

/** The page is loaded anew, and stops in the next protected sum; resolves when it stands there, with what it masked. */
async function reload(stopsAt?: BrowserNodeOrder["stopsAt"]): Promise<{ readonly stopped: () => Promise<string | undefined> }> {
  await page.reload();
  const { said } = await startWorker(page, { ...cedar(), ...(stopsAt === undefined ? {} : { stopsAt }) });
  return { stopped: async () => (await eventually(async () => (await said()).find(({ type }) => type === "stopped"))).hash };
}

const tasksOfCedar = (runId: string) =>
  lent.coordinator.store.db
    .select({ attempt: tasks.attempt, code: tasks.reasonCode, hash: tasks.blobHash, weight: tasks.weight })
    .from(tasks)
    .where(and(eq(tasks.runId, runId), eq(tasks.party, "cedar"), eq(tasks.kind, "fit")))
    .orderBy(tasks.round, tasks.attempt);

describe.skipIf(!HAS_CHROMIUM)(`a browser's tab in a protected sum${HAS_CHROMIUM ? "" : " (skipped: there is no Chromium)"}`, () => {
  it("masks beside nodes of Node, and the model is that of a run without protection", { timeout: 120_000 }, async () => {
    const open = await (await start({ protection: { kind: "none" } })).result();
    const run = await start({ protection: { kind: "secagg" } });
    expect((await run.result()).modelHash).toBe(open.modelHash);
    const { rounds } = await run.show();
    for (const { sums } of rounds) {
      for (const { steps } of sums) expect(steps.map(({ taken }) => taken)).toEqual([3, 3, 3, 3, 3]);
    }
    expect((await tasksOfCedar(run.id)).map(({ weight }) => weight)).toEqual(rounds.map(() => 0));
  });

  it("sends exactly the vector that it had made ready when its page was closed", { timeout: 120_000 }, async () => {
    const changes = { rounds: 1, evaluate: { every: 0 }, cohort: { attempts: 3 } };
    const open = await (await start({ ...changes, protection: { kind: "none" } })).result();
    const { stopped } = await reload("masked");
    const run = await start({ ...changes, protection: { kind: "secagg" } });
    const masked = await stopped();
    await reload();
    expect((await run.result()).modelHash).toBe(open.modelHash);
    const [first] = await tasksOfCedar(run.id);
    expect(first).toMatchObject({ attempt: 1, hash: masked });
  });

  it("takes no part in an attempt whose keys went with its page, and does in the next", { timeout: 120_000 }, async () => {
    const changes = { rounds: 1, evaluate: { every: 0 }, cohort: { attempts: 3 } };
    const { stopped } = await reload("begun");
    const run = await start({ ...changes, protection: { kind: "secagg" } });
    await stopped();
    await reload();
    await run.result();
    expect(await tasksOfCedar(run.id)).toMatchObject([
      { attempt: 1, code: "SUM_REFUSED", hash: null },
      { attempt: 2, code: null },
    ]);
  });
});
