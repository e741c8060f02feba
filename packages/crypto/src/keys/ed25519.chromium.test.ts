import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { stripTypeScriptTypes } from "node:module";
import { chromium } from "playwright-core";
import { expect, it } from "vitest";
import { importSigningKey, sign } from "./index.ts";

const CHROMIUM = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";

it.skipIf(!existsSync(CHROMIUM))("signs and verifies in Chromium as in Node", async () => {
  const seed = Uint8Array.from({ length: 32 }, (_, i) => i);
  const message = Uint8Array.of(1, 2, 3);
  const server = http.createServer((request, response) => {
    if (request.url === "/") {
      response.setHeader("content-type", "text/html").end("<!doctype html><title>keys</title>");
      return;
    }
    void readFile(join(import.meta.dirname, request.url ?? ""), "utf8").then(
      (source) => response.setHeader("content-type", "text/javascript").end(stripTypeScriptTypes(source)),
      () => response.writeHead(404).end(),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const inChromium = await page.evaluate<Record<string, unknown>>(`(async () => {
      const keys = await import("/index.ts");
      const key = await keys.importSigningKey(Uint8Array.from(${JSON.stringify([...seed])}));
      const message = Uint8Array.from(${JSON.stringify([...message])});
      const signature = await keys.sign(key, message);
      const fresh = await keys.generateSigningKey();
      return {
        publicKey: [...key.publicKey],
        signature: [...signature],
        seed: [...await keys.exportSigningKey(key)],
        valid: await keys.verify(key.publicKey, message, signature),
        fresh: await keys.verify(fresh.publicKey, message, await keys.sign(fresh, message)),
        forged: await keys.verify(key.publicKey, Uint8Array.of(1, 2), signature),
        noPoint: await keys.verify(new Uint8Array(32).fill(2), message, signature),
      };
    })()`);
    const key = await importSigningKey(seed);
    expect(inChromium).toEqual({
      publicKey: [...key.publicKey],
      signature: [...(await sign(key, message))],
      seed: [...seed],
      valid: true,
      fresh: true,
      forged: false,
      noPoint: false,
    });
  } finally {
    await browser.close();
    server.close();
  }
});
