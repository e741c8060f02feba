import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { NexusError } from "@ciphernx/core/errors";
import { expect, it } from "vitest";
import { wasmLoader } from "./index.ts";

/** The shortest wasm module: magic and version (WebAssembly Core Specification 1.0, §5.5.16). */
const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const compile = (wasm: Uint8Array<ArrayBuffer>) => WebAssembly.compile(wasm);

it("compiles a file once, and looks again after a failure", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ciphernx-wasm-"));
  try {
    const path = join(folder, "empty.wasm");
    const load = wasmLoader({ url: pathToFileURL(path), name: "empty kernels", compile });
    await expect(load()).rejects.toMatchObject({
      code: "INTERNAL",
      message: expect.stringMatching(/^The empty kernels cannot be loaded from file:.*empty\.wasm: ENOENT/) as string,
      hint: expect.stringContaining("npm run prepare") as string,
    });
    await writeFile(path, "no wasm");
    await expect(load()).rejects.toMatchObject({
      code: "INTERNAL",
      message: expect.stringContaining("The empty kernels cannot be loaded") as string,
    });
    await writeFile(path, EMPTY);
    const module = await load();
    expect(module).toBeInstanceOf(WebAssembly.Module);
    await rm(path);
    expect(await load()).toBe(module);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it("reads over HTTP in a page, and passes on what the compiler of the kernels says", async () => {
  const server = createServer((request, response) => {
    if (request.url === "/empty.wasm") response.end(EMPTY);
    else response.writeHead(404).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const at = (path: string) => new URL(path, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(await wasmLoader({ url: at("/empty.wasm"), name: "kernels", compile: async (wasm) => [...wasm] })()).toEqual([...EMPTY]);
    await expect(wasmLoader({ url: at("/none.wasm"), name: "kernels", compile })()).rejects.toThrow(/HTTP status 404/);
    const own = new NexusError("INTERNAL", "Not these kernels.");
    await expect(wasmLoader({ url: at("/empty.wasm"), name: "kernels", compile: () => Promise.reject(own) })()).rejects.toBe(own);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
