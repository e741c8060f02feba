import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import tls from "node:tls";
import { fileURLToPath } from "node:url";
import { loadIdentity } from "@ciphernx/ai/federation/node";
import { addNode, createOrganisation, foundingEntry, rosterAccess, runSigner } from "@ciphernx/ai/federation/organisation";
import { connectTransport } from "@ciphernx/protocol/wire/connect";
import type { BrowserContext, Page } from "playwright-core";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BrowserNodeOrder } from "./browser-node.worker.ts";
import { HAS_CHROMIUM, launchChromium } from "./people/chromium.fixture.ts";
import { classRows, eventually, ROWS_SCHEMA, rowsSpec, startWork, testCoordinator, type TestCoordinator } from "./test-coordinator.fixture.ts";

const WASM = fileURLToPath(new URL("../../../packages/ai/wasm/", import.meta.url));
const MASKING = fileURLToPath(new URL("../../../packages/crypto/wasm/secagg.wasm", import.meta.url));
const NAMES = ["ash", "birch", "cedar"];
const ROWS = new Map(NAMES.map((name) => [name, classRows(name, 30, 10)]));

let lent: TestCoordinator;
/** The worker with all that it imports, as a browser loads it. */
let script: string;
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  if (!HAS_CHROMIUM) return;
  lent = stack.use(await testCoordinator({ tls: { listen: { host: "127.0.0.1", port: 0 }, publicNames: ["localhost"] } }));
  await using bundle = await rolldown({
    input: fileURLToPath(new URL("./browser-node.worker.ts", import.meta.url)),
    platform: "browser",
    resolve: { conditionNames: ["source", "browser", "import", "default"] },
    logLevel: "silent",
  });
  const { output } = await bundle.generate({ format: "es", codeSplitting: false });
  script = output[0].code;
}, 60_000);
afterAll(() => stack.disposeAsync());

function order(name: string, origin: string, token: string | undefined, signs: boolean): BrowserNodeOrder {
  const { dataset } = ROWS.get(name)!;
  const parts = [dataset.train, dataset.test!].map(({ count, features, targets }) => ({ count, features: [...features], targets: [...targets] }));
  return { origin, token, signs, name, schema: ROWS_SCHEMA, parts };
}

/** What a worker says. */
interface Said {
  readonly type: string;
  readonly error?: string;
  readonly answer?: string;
  readonly nodeId?: string;
  readonly key?: unknown;
}

/** Chromium that trusts a server's key, and nothing else that it would not trust. */
async function launchTrusting(url: string): Promise<Awaited<ReturnType<typeof launchChromium>>> {
  // What the test answers in the coordinator's place counts as from elsewhere, from where Chromium lets nothing connect to this machine.
  const flags = ["--disable-features=LocalNetworkAccessChecks"];
  if (!url.startsWith("https:")) return launchChromium(flags);
  const socket = tls.connect({
    port: Number(new URL(url).port),
    host: "127.0.0.1",
    ca: await readFile(lent.coordinator.tls!.certificateFile, "utf8"),
  });
  await once(socket, "secureConnect");
  const spki = socket.getPeerX509Certificate()!.publicKey.export({ type: "spki", format: "der" });
  socket.destroy();
  return launchChromium([...flags, `--ignore-certificate-errors-spki-list=${createHash("sha256").update(spki).digest("base64")}`]);
}

/** A page of the coordinator's origin, as the workspace will be. */
async function openPage(context: BrowserContext, origin: string): Promise<{ readonly page: Page; readonly sockets: readonly string[] }> {
  const page = await context.newPage();
  const sockets: string[] = [];
  page.on("websocket", (socket) => sockets.push(socket.url()));
  await context.route("**/test/**", async (route) => {
    const path = new URL(route.request().url()).pathname;
    if (path.endsWith(".wasm")) await route.fulfill({ contentType: "application/wasm", body: await readFile(join(WASM, path.split("/").at(-1)!)) });
    else if (path.endsWith(".html")) await route.fulfill({ contentType: "text/html", body: "<!doctype html><title>node</title>" });
    else await route.fulfill({ contentType: "text/javascript", body: script });
  });
  await context.route("**/wasm/secagg.wasm", async (route) => route.fulfill({ contentType: "application/wasm", body: await readFile(MASKING) }));
  // From the coordinator itself: a browser decides here that it shows no client certificate, which it would not ask for a WebSocket's sake.
  await page.goto(origin);
  await page.goto(`${origin}/test/page.html`);
  return { page, sockets };
}

/** Starts the worker of a page; resolves when it has a session. */
async function startWorker(page: Page, sent: BrowserNodeOrder): Promise<{ said(): Promise<readonly Said[]> }> {
  await page.evaluate((message) => {
    const said: unknown[] = [];
    const worker = new Worker("/test/src/node/worker.js", { type: "module" });
    worker.addEventListener("message", ({ data }) => said.push(data));
    worker.addEventListener("error", ({ message: error }) => said.push({ type: "ended", error }));
    worker.postMessage(message);
    Object.assign(globalThis, { said });
  }, sent);
  const said = () => page.evaluate(() => (globalThis as unknown as { said: Said[] }).said);
  await eventually(async () => {
    const words = await said();
    const ended = words.find(({ type }) => type === "ended");
    if (ended !== undefined) throw new Error(ended.error);
    return words.find(({ type }) => type === "connected");
  });
  return { said };
}

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
    await using browser = await launchTrusting(origin);
    const { page, sockets } = await openPage(await browser.newContext(), origin);
    const { said } = await startWorker(page, order("cedar", origin, token, false));
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
      await using browser = await launchTrusting(origin);
      const context = await browser.newContext();
      const { page, sockets } = await openPage(context, origin);
      const starting = startWorker(page, order("cedar", origin, token, true));
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
      const second = await openPage(context, origin);
      const beside = startWorker(second.page, order("cedar", origin, undefined, true));
      await expect(beside).rejects.toThrow(/Another page or worker of this browser runs the node cedar/);
      const heads = await keptHeads(page);
      expect(heads.length).toBeGreaterThan(0);
      await page.reload();
      const again = await startWorker(page, order("cedar", origin, undefined, true));
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
    await using browser = await launchTrusting(origin);
    const { page } = await openPage(await browser.newContext(), origin);
    const anchor = { organisation: "clinic", key: organisation.publicKey, project };
    const starting = startWorker(page, { ...order("cedar", origin, token, true), anchor });
    const key = await Promise.race([eventually(() => keyOf("cedar")), starting.then(() => "let in without its organisation")]);
    await expect(lent.nexus.nodes.approve("cedar")).rejects.toMatchObject({ code: "NOT_ON_ROSTER" });
    await addNode(access, organisation, { node: "cedar", key });
    const { said } = await starting;
    const signed = await lent.nexus.runs.start(SPEC, { signer: runSigner(access, organisation) });
    expect((await signed.result()).modelHash).toBe(expected);
    await assertTookPart(await said());

    // Told that it is another organisation's, it refuses what the coordinator shows.
    await page.reload();
    const other = await startWorker(page, { ...order("cedar", origin, undefined, true), anchor: { ...anchor, key: key.replaceAll(/./g, "0") } });
    const refusal = await eventually(async () => (await other.said()).find(({ type }) => type === "roster-refused"));
    expect(refusal.error).toContain("on the roster with another key");
  });
});
