/** A page of Chromium with a node in its worker, beside a coordinator of a test. @module */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import tls from "node:tls";
import { fileURLToPath } from "node:url";
import type { PartyDataset } from "@ciphernx/ai/data";
import type { BrowserContext, Page } from "playwright-core";
import { rolldown } from "rolldown";
import type { BrowserNodeOrder } from "./browser-node.worker.ts";
import { launchChromium } from "./people/chromium.fixture.ts";
import { eventually, ROWS_SCHEMA, type TestCoordinator } from "./test-coordinator.fixture.ts";

const WASM = fileURLToPath(new URL("../../../packages/ai/wasm/", import.meta.url));
const MASKING = fileURLToPath(new URL("../../../packages/crypto/wasm/secagg.wasm", import.meta.url));

/** The worker with all that it imports, as a browser loads it. */
export async function bundleWorker(): Promise<string> {
  await using bundle = await rolldown({
    input: fileURLToPath(new URL("./browser-node.worker.ts", import.meta.url)),
    platform: "browser",
    resolve: { conditionNames: ["source", "browser", "import", "default"] },
    logLevel: "silent",
  });
  const { output } = await bundle.generate({ format: "es", codeSplitting: false });
  return output[0].code;
}

/** What a page tells its worker: who the node is, and its rows. */
export function order(
  name: string,
  { dataset }: PartyDataset,
  { origin, token, signs }: Pick<BrowserNodeOrder, "origin" | "token" | "signs">,
): BrowserNodeOrder {
  const parts = [dataset.train, dataset.test!].map(({ count, features, targets }) => ({ count, features: [...features], targets: [...targets] }));
  return { origin, token, signs, name, schema: ROWS_SCHEMA, parts };
}

/** What a worker says. */
export interface Said {
  readonly type: string;
  readonly error?: string;
  readonly answer?: string;
  readonly nodeId?: string;
  readonly key?: unknown;
  /** Bytes that it had kept where it stopped. */
  readonly kept?: readonly number[];
}

/** Chromium that trusts a server's key, and nothing else that it would not trust. */
export async function launchTrusting({ coordinator }: TestCoordinator, url: string): Promise<Awaited<ReturnType<typeof launchChromium>>> {
  // What the test answers in the coordinator's place counts as from elsewhere, from where Chromium lets nothing connect to this machine.
  const flags = ["--disable-features=LocalNetworkAccessChecks"];
  if (!url.startsWith("https:")) return launchChromium(flags);
  const socket = tls.connect({
    port: Number(new URL(url).port),
    host: "127.0.0.1",
    ca: await readFile(coordinator.tls!.certificateFile, "utf8"),
  });
  await once(socket, "secureConnect");
  const spki = socket.getPeerX509Certificate()!.publicKey.export({ type: "spki", format: "der" });
  socket.destroy();
  return launchChromium([...flags, `--ignore-certificate-errors-spki-list=${createHash("sha256").update(spki).digest("base64")}`]);
}

/** A page of the coordinator's origin, as the workspace will be. */
export async function openPage(
  context: BrowserContext,
  origin: string,
  script: string,
): Promise<{ readonly page: Page; readonly sockets: readonly string[] }> {
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
export async function startWorker(page: Page, sent: BrowserNodeOrder): Promise<{ said(): Promise<readonly Said[]> }> {
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
