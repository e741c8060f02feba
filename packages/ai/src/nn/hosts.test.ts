import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { goldenImageTrainingHash, goldenTrainingHash } from "./test/golden-training.ts";
import { writePlainModules } from "./test/plain-modules.ts";

/** Of dense layers, and of convolutions and what is around them. Changes only when the arithmetic of training changes; then every kernel build before it gives other bits. */
const GOLDEN = "2f8002d25175c27a290502306be9109ce349492908bcb1061fbc8eb533d9b00a 0f040186fa0c28ff684908c27d93c5a7ce3a7434cde2a6a5eea6293e2e8ec8da";

/** What other hosts do with the module. */
const HASHES = "async (m) => `${await m.goldenTrainingHash()} ${await m.goldenImageTrainingHash()}`";

/** That the build fma trains there, or why not: Node 20 is older than relaxed SIMD. */
const FMA = "(m) => m.goldenImageTrainingHash('fma').then((hash) => /^[0-9a-f]{64}$/.test(hash) ? 'trains' : hash, ({ code }) => code)";

const run = promisify(execFile);
const root = resolve(dirname(fileURLToPath(import.meta.url)), "../../../..");
const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

/** Each `node` on the PATH from version 20 on, by its version, apart from the one that runs this test. */
async function otherNodes(): Promise<Map<string, string>> {
  const nodes = new Map<string, string>();
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, "node");
    if (!existsSync(path)) continue;
    const { stdout } = await run(path, ["--version"]);
    const version = stdout.trim();
    const major = Number(version.slice(1).split(".")[0]);
    if (version !== process.version && major >= 20 && !nodes.has(version)) nodes.set(version, path);
  }
  return nodes;
}

describe("the bits of a training", () => {
  let folder: string;
  let entry: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "nexus-nn-hosts-"));
    entry = writePlainModules(root, join(root, "packages/ai/src/nn/test/golden-training.ts"), folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("are the golden ones here", async () => {
    expect(`${await goldenTrainingHash()} ${await goldenImageTrainingHash()}`).toBe(GOLDEN);
  });

  it("are the same in every other Node on the PATH", async ({ skip }) => {
    const nodes = await otherNodes();
    if (nodes.size === 0) skip("No other version of Node is on the PATH.");
    for (const [version, path] of nodes) {
      const script = `import(${JSON.stringify(join(folder, entry))}).then(${HASHES}).then(console.log)`;
      const { stdout } = await run(path, ["--input-type=module", "--eval", script], { env: { PATH: process.env["PATH"] } });
      expect(`${version} ${stdout.trim()}`).toBe(`${version} ${GOLDEN}`);
    }
  });

  it("the build fma trains in every other Node that has relaxed SIMD, and says where there is none", async ({ skip }) => {
    const nodes = await otherNodes();
    if (nodes.size === 0) skip("No other version of Node is on the PATH.");
    for (const [version, path] of nodes) {
      const script = `import(${JSON.stringify(join(folder, entry))}).then(${FMA}).then(console.log)`;
      const { stdout } = await run(path, ["--input-type=module", "--eval", script], { env: { PATH: process.env["PATH"] } });
      expect(`${version} ${stdout.trim()}`).toBe(`${version} ${version.startsWith("v20.") ? "KERNEL_UNSUPPORTED" : "trains"}`);
    }
  });

  it.skipIf(!existsSync(CHROMIUM))(
    `are the same in ${existsSync(CHROMIUM) ? "Chromium" : `Chromium (skipped: ${CHROMIUM} does not exist)`}`,
    async () => {
      const types: Record<string, string> = { ".js": "text/javascript", ".wasm": "application/wasm" };
      const server = createServer((request, response) => {
        const path = join(folder, new URL(request.url ?? "/", "http://localhost").pathname);
        if (extname(path) === "") response.setHeader("content-type", "text/html").end("<!doctype html><title>nn</title>");
        else if (!existsSync(path)) response.writeHead(404).end();
        else response.setHeader("content-type", types[extname(path)] ?? "application/octet-stream").end(readFileSync(path));
      });
      await new Promise<void>((ready) => void server.listen(0, "127.0.0.1", ready));
      const { port } = server.address() as AddressInfo;
      const browser = await chromium.launch({
        executablePath: CHROMIUM,
        args: [
          "--no-sandbox",
          "--disable-gpu",
          "--disable-quic",
          "--no-first-run",
          "--disable-background-networking",
          "--disable-component-update",
          "--disable-sync",
        ],
      });
      try {
        const page = await browser.newPage();
        await page.goto(`http://127.0.0.1:${port}/`);
        const script = `import("/${entry}").then(${HASHES})`;
        expect(await page.evaluate(script)).toBe(GOLDEN);
        expect(await page.evaluate(`import("/${entry}").then(${FMA})`)).toBe("trains");
      } finally {
        await browser.close();
        await new Promise((closed) => void server.close(closed));
      }
    },
  );
});
