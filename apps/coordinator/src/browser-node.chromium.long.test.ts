import { loadIdentity } from "@ciphernx/ai/federation/node";
import { addNode, createOrganisation, foundingEntry, rosterAccess, runSigner } from "@ciphernx/ai/federation/organisation";
import { connectTransport } from "@ciphernx/protocol/wire/connect";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleWorker, launchTrusting, openPage, order, type Said, startWorker } from "./browser-page.fixture.ts";
import { HAS_CHROMIUM } from "./people/chromium.fixture.ts";
import { classRows, eventually, rowsSpec, startWork, testCoordinator, type TestCoordinator } from "./test-coordinator.fixture.ts";

const NAMES = ["ash", "birch", "cedar"];
const ROWS = new Map(NAMES.map((name) => [name, classRows(name, 30, 10)]));

let lent: TestCoordinator;
let script: string;
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  if (!HAS_CHROMIUM) return;
  lent = stack.use(await testCoordinator({ tls: { listen: { host: "127.0.0.1", port: 0 }, publicNames: ["localhost"] } }));
  script = await bundleWorker();
}, 60_000);
afterAll(() => stack.disposeAsync());

const cedar = (where: Parameters<typeof order>[2]) => order("cedar", ROWS.get("cedar")!, where);

const SPEC = rowsSpec({ evaluate: { metrics: ["loss", "correct", "f1"] } });
const run = async () => (await (await lent.nexus.runs.start(SPEC)).result()).modelHash;

/** Numbers of the heads of the audit log that the browser keeps with its node. */
function keptHeads(page: Page): Promise<readonly number[]> {
  return page.evaluate(async () => {
    const opening = indexedDB.open("ciphernx-node");
    await new Promise((resolve) => opening.addEventListener("success", resolve));
    const found = opening.result.transaction("nodes").objectStore("nodes").get("cedar");
    await new Promise((resolve) => found.addEventListener("success", resolve));
    opening.result.close();
    return (found.result as { readonly joined: { readonly heads: readonly { readonly number: number }[] } }).joined.heads.map((head) => head.number);
  });
}

/** All three in Node: what the others are held to. */
async function hashOfNodes(): Promise<string> {
  await using nodes = new AsyncDisposableStack();
  for (const name of NAMES) nodes.use(await startWork(lent.url, await lent.join(name), { rows: ROWS.get(name)! }));
  const hash = await run();
  await lent.nexus.nodes.remove("cedar");
  return hash;
}

describe.skipIf(!HAS_CHROMIUM)(`a browser's tab as a node${HAS_CHROMIUM ? "" : " (skipped: there is no Chromium)"}`, () => {
  let expected: string;
  const others = new AsyncDisposableStack();
  beforeAll(async () => {
    expected = await hashOfNodes();
    for (const name of NAMES.slice(0, 2)) {
      const { identity } = await loadIdentity(lent.folderOf(name));
      others.use(await startWork(lent.url, identity, { rows: ROWS.get(name)! }));
    }
  }, 60_000);
  afterAll(() => others.disposeAsync());

  const assertTookPart = async (said: readonly Said[]): Promise<void> => {
    const answers = said.filter(({ type }) => type === "answered").map(({ answer }) => answer);
    expect(answers.length).toBeGreaterThan(3);
    expect(new Set(answers)).toEqual(new Set(["accepted"]));
  };

  it("takes part beside nodes of Node, over one WebSocket, and the model is the same to the bit", { timeout: 120_000 }, async () => {
    const origin = `http://localhost:${lent.coordinator.port}`;
    const { token } = await lent.nexus.nodes.createJoinToken({ approved: true });
    await using browser = await launchTrusting(lent, origin);
    const { page, sockets } = await openPage(await browser.newContext(), origin, script);
    const { said } = await startWorker(page, cedar({ origin, token: token, signs: false }));
    expect(await run()).toBe(expected);
    // One to join, one for the session.
    expect(sockets).toHaveLength(2);
    await assertTookPart(await said());
    await lent.nexus.nodes.remove("cedar");
  });

  it(
    "does so from another machine: over TLS, by signed requests, with a key that nobody can read, before and after the page was loaded anew",
    { timeout: 120_000 },
    async () => {
      const origin = `https://localhost:${new URL(lent.coordinator.tls!.url).port}`;
      const { token } = await lent.nexus.nodes.createJoinToken();
      await using browser = await launchTrusting(lent, origin);
      const context = await browser.newContext();
      const { page, sockets } = await openPage(context, origin, script);
      const starting = startWorker(page, cedar({ origin, token: token, signs: true }));
      const isThere = async () => (await lent.nexus.nodes.list()).find(({ name, status }) => name === "cedar" && status === "pending");
      await Promise.race([eventually(isThere), starting]);
      await lent.nexus.nodes.approve("cedar");
      const { said } = await starting;
      expect(await run()).toBe(expected);
      await assertTookPart(await said());
      const first = (await said()).find(({ type }) => type === "joined")!;
      expect(first.key).toBe("InvalidAccessError");
      expect(new Set(sockets)).toEqual(new Set([`${origin.replace("https:", "wss:")}/wire`]));

      // Another page of the browser cannot run it beside this one.
      const second = await openPage(context, origin, script);
      const beside = startWorker(second.page, cedar({ origin, token: undefined, signs: true }));
      await expect(beside).rejects.toThrow(/Another page or worker of this browser runs the node cedar/);
      const heads = await keptHeads(page);
      expect(heads.length).toBeGreaterThan(0);
      await page.reload();
      const again = await startWorker(page, cedar({ origin, token: undefined, signs: true }));
      expect(await run()).toBe(expected);
      expect((await again.said()).find(({ type }) => type === "joined")).toEqual(first);
      await assertTookPart(await again.said());
      // It goes on from what it had seen of the audit log.
      expect((await keptHeads(page)).slice(0, heads.length)).toEqual(heads);
    },
  );

  it("goes by its organisation's roster, which the coordinator cannot change", { timeout: 120_000 }, async () => {
    await lent.nexus.nodes.remove("cedar");
    const origin = `https://localhost:${new URL(lent.coordinator.tls!.url).port}`;
    const project = (await lent.nexus.status()).projectId;
    const folder = lent.folderOf("organisation");
    const organisation = await createOrganisation({ folder, name: "clinic", project, url: lent.url, passphrase: "five random words are easy" });
    await lent.nexus.organisations.found((await foundingEntry(organisation)).entry);
    const transport = stack.use(connectTransport({ baseUrl: lent.url }));
    const access = rosterAccess(transport, { project, keys: organisation.keys });
    const keyOf = async (node: string) =>
      (await lent.nexus.nodes.list()).find(({ name, status }) => name === node && status !== "removed")?.publicKeyHex;
    for (const node of NAMES.slice(0, 2)) await addNode(access, organisation, { node, key: (await keyOf(node))! });

    const { token } = await lent.nexus.nodes.createJoinToken();
    await using browser = await launchTrusting(lent, origin);
    const { page } = await openPage(await browser.newContext(), origin, script);
    const anchor = { organisation: "clinic", key: organisation.publicKey, project };
    const starting = startWorker(page, { ...cedar({ origin, token: token, signs: true }), anchor });
    const key = await Promise.race([eventually(() => keyOf("cedar")), starting.then(() => "let in without its organisation")]);
    await expect(lent.nexus.nodes.approve("cedar")).rejects.toMatchObject({ code: "NOT_ON_ROSTER" });
    await addNode(access, organisation, { node: "cedar", key });
    const { said } = await starting;
    const signed = await lent.nexus.runs.start(SPEC, { signer: runSigner(access, organisation) });
    expect((await signed.result()).modelHash).toBe(expected);
    await assertTookPart(await said());

    // Told that it is another organisation's, it refuses what the coordinator shows.
    await page.reload();
    const other = await startWorker(page, {
      ...cedar({ origin, token: undefined, signs: true }),
      anchor: { ...anchor, key: key.replaceAll(/./g, "0") },
    });
    const refusal = await eventually(async () => (await other.said()).find(({ type }) => type === "roster-refused"));
    expect(refusal.error).toContain("on the roster with another key");
  });
});
