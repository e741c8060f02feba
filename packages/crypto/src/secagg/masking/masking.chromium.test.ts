import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { once } from "node:events";
import http from "node:http";
import { createRequire, stripTypeScriptTypes } from "node:module";
import type { AddressInfo } from "node:net";
import { dirname, join, resolve } from "node:path";
import { hexToBytes } from "@noble/hashes/utils.js";
import { chromium } from "playwright-core";
import { expect, it } from "vitest";
import { SP_800_38A_F_5_1 } from "./keystream.vectors.ts";
import { CONTEXT, MASKED, SEEDS } from "./masking.vectors.ts";

const CHROMIUM = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";
const PACKAGE = resolve(import.meta.dirname, "../../..");
const NOBLE = dirname(createRequire(import.meta.url).resolve("@noble/hashes/sha2.js"));
const PAGE = `<!doctype html><title>masking</title><script type="importmap">{ "imports": { "@noble/hashes/": "/noble/" } }</script>`;

/** A file of this package or of @noble/hashes, as a browser reads it. */
async function fileOf(path: string): Promise<{ readonly type: string; readonly content: string | Uint8Array }> {
  if (path.startsWith("/noble/")) return { type: "text/javascript", content: await readFile(join(NOBLE, path.slice("/noble/".length))) };
  const content = await readFile(join(PACKAGE, path));
  return path.endsWith(".wasm")
    ? { type: "application/wasm", content }
    : { type: "text/javascript", content: stripTypeScriptTypes(content.toString("utf8")) };
}

it.skipIf(!existsSync(CHROMIUM))("masks and unmasks in Chromium as in Node", async () => {
  const server = http.createServer((request, response) => {
    if (request.url === "/") {
      response.setHeader("content-type", "text/html").end(PAGE);
      return;
    }
    void fileOf(request.url ?? "").then(
      ({ type, content }) => response.setHeader("content-type", type).end(content),
      () => response.writeHead(404).end(),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const bytes = (hex: string) => [...hexToBytes(hex)];
    const given = {
      context: bytes(CONTEXT),
      key: bytes(SP_800_38A_F_5_1.key),
      counter: bytes(SP_800_38A_F_5_1.counter),
      seeds: [SEEDS.self, SEEDS.withParty0, SEEDS.withParty2].map(bytes),
      masked: MASKED,
    };
    const inChromium = await page.evaluate<Record<string, unknown>>(`(async () => {
      const masking = await import("/src/secagg/masking/index.ts");
      const given = ${JSON.stringify(given)};
      const keystream = masking.webKeystream;
      const kernel = await masking.loadMaskKernel();
      const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      const output = new Uint8Array(64);
      await keystream.open(Uint8Array.from(given.key), Uint8Array.from(given.counter), 0).generate(output);
      const places = [[1, 1, 1], [0, 1, -1], [1, 2, 1]];
      const streams = places.map(([low, high, sign], index) => (
        { prk: masking.maskSeed(Uint8Array.from(given.context), Uint8Array.from(given.seeds[index])), low, high, sign }
      ));
      const arrays = { I8: Int8Array, I16: Int16Array, I32: Int32Array };
      const packed = [], sums = [];
      for (const { dtype, most, vector } of given.masked) {
        const ring = masking.ringFor(most, 3);
        const bytes = await masking.maskVector({ kernel, keystream, ring, vector: arrays[dtype].from(vector), streams });
        packed.push(hex(bytes));
        const source = { name: "party 1", read: async (offset, length) => bytes.subarray(offset, offset + length) };
        const off = streams.map((stream) => ({ ...stream, sign: -stream.sign }));
        const tiles = masking.unmaskSum({ kernel, keystream, ring, sources: [source], streams: off, length: vector.length });
        for await (const { sum } of tiles) sums.push([...sum].map(Number));
      }
      return { output: hex(output), packed, sums };
    })()`);
    expect(inChromium).toEqual({
      output: SP_800_38A_F_5_1.output,
      packed: MASKED.map(({ packed }) => packed),
      sums: MASKED.map(({ vector }) => [...vector]),
    });
  } finally {
    await browser.close();
    server.close();
  }
});
