import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PartyDataset } from "@ciphernx/ai/data";
import { loadIdentity } from "@ciphernx/ai/federation/node";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BrowserNodeOrder } from "./browser-node.worker.ts";
import { HAS_CHROMIUM, launchChromium } from "./people/chromium.fixture.ts";
import { classRows, eventually, ROWS_SCHEMA, rowsSpec, startWork, testCoordinator, type TestCoordinator } from "./test-coordinator.fixture.ts";

const WASM = fileURLToPath(new URL("../../../packages/ai/wasm/", import.meta.url));
const NAMES = ["ash", "birch", "cedar"];
const ROWS = new Map(NAMES.map((name) => [name, classRows(name, 30, 10)]));

let lent: TestCoordinator;
/** The worker with all that it imports, as a browser loads it. */
let script: string;
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  if (!HAS_CHROMIUM) return;
  lent = stack.use(await testCoordinator());
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

function order(name: string, token: string, { dataset }: PartyDataset): BrowserNodeOrder {
  const parts = [dataset.train, dataset.test!].map(({ count, features, targets }) => ({ count, features: [...features], targets: [...targets] }));
  return { origin: `http://localhost:${lent.coordinator.port}`, token, name, schema: ROWS_SCHEMA, parts };
}

describe.skipIf(!HAS_CHROMIUM)(`a browser's tab as a node${HAS_CHROMIUM ? "" : " (skipped: there is no Chromium)"}`, () => {
  it("takes part beside nodes of Node, over one WebSocket, and the model is the same to the bit", { timeout: 120_000 }, async () => {
    const hashes: string[] = [];
    const run = async () => (await (await lent.nexus.runs.start(rowsSpec({ evaluate: { metrics: ["loss", "correct", "f1"] } }))).result()).modelHash;

    // All three in Node.
    {
      await using nodes = new AsyncDisposableStack();
      for (const name of NAMES) nodes.use(await startWork(lent.url, await lent.join(name), { rows: ROWS.get(name)! }));
      hashes.push(await run());
    }
    await lent.nexus.nodes.remove("cedar");

    // One of them in a worker of a page of the coordinator's origin, as the workspace will be.
    await using nodes = new AsyncDisposableStack();
    for (const name of NAMES.slice(0, 2)) {
      const { identity } = await loadIdentity(lent.folderOf(name));
      nodes.use(await startWork(lent.url, identity, { rows: ROWS.get(name)! }));
    }
    const { token } = await lent.nexus.nodes.createJoinToken({ approved: true });
    // What the test answers in the coordinator's place counts as from elsewhere, from where Chromium lets nothing connect to this machine.
    await using browser = await launchChromium(["--disable-features=LocalNetworkAccessChecks"]);
    const page = await browser.newPage();
    const sockets: string[] = [];
    page.on("websocket", (socket) => sockets.push(socket.url()));
    await page.context().route("**/test/**", async (route) => {
      const path = new URL(route.request().url()).pathname;
      if (path.endsWith(".wasm")) await route.fulfill({ contentType: "application/wasm", body: await readFile(join(WASM, path.split("/").at(-1)!)) });
      else if (path.endsWith(".html")) await route.fulfill({ contentType: "text/html", body: "<!doctype html><title>node</title>" });
      else await route.fulfill({ contentType: "text/javascript", body: script });
    });
    await page.goto(`http://localhost:${lent.coordinator.port}/test/page.html`);
    await page.evaluate(
      (sent) => {
        const said: unknown[] = [];
        const worker = new Worker("/test/src/node/worker.js", { type: "module" });
        worker.addEventListener("message", ({ data }) => said.push(data));
        worker.addEventListener("error", ({ message }) => said.push({ type: "ended", error: message }));
        worker.postMessage(sent);
        Object.assign(globalThis, { said });
      },
      order("cedar", token, ROWS.get("cedar")!),
    );
    const said = () => page.evaluate(() => (globalThis as unknown as { said: { type: string; error?: string; answer?: string }[] }).said);
    await eventually(async () => {
      const words = await said();
      expect(words.find(({ type }) => type === "ended")).toBeUndefined();
      return words.find(({ type }) => type === "connected");
    });
    hashes.push(await run());

    expect(hashes[1]).toBe(hashes[0]);
    // One to join, one for the session.
    expect(sockets).toHaveLength(2);
    const answers = (await said()).filter(({ type }) => type === "answered").map(({ answer }) => answer);
    expect(answers.length).toBeGreaterThan(3);
    expect(new Set(answers)).toEqual(new Set(["accepted"]));
  });
});
