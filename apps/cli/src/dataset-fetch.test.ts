import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runNexus } from "./testing/nexus-process.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nexus-fetch-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it("lists what can be fetched", async () => {
  const { code, stdout } = await runNexus(["dataset", "fetch", "--json"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    data: { datasets: [{ name: "heart-disease", licence: expect.stringContaining("CC BY 4.0") as string }] },
  });
  expect((await runNexus(["dataset", "fetch", "--quiet"])).stdout).toBe("heart-disease\n");
});

it("goes through the environment's proxy, and says so when nothing comes through", async () => {
  const asked = Promise.withResolvers<string>();
  await using proxy = createServer((socket) => {
    socket.once("data", (chunk: Buffer) => {
      asked.resolve(String(chunk).split("\r\n")[0]!);
      socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    });
    socket.on("error", () => undefined); // the command may be gone first
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const out = join(folder, "out");
  const env = { HTTPS_PROXY: url, https_proxy: url };
  const { code, stdout } = await runNexus(["dataset", "fetch", "heart-disease", "--out", out, "--json"], { env });
  expect(await asked.promise).toBe("CONNECT archive.ics.uci.edu:443 HTTP/1.1");
  expect({ code, answer: JSON.parse(stdout) as unknown }).toMatchObject({ code: 4, answer: { error: { code: "DOWNLOAD_FAILED" } } });
  expect(await readdir(folder)).toEqual([]);
});

it("refuses a name, a file and a call that mean nothing", async () => {
  const file = join(folder, "fed_heart.csv");
  await writeFile(file, "site,age\n");
  const errorOf = async (...args: readonly string[]): Promise<unknown> =>
    (JSON.parse((await runNexus(["dataset", "fetch", ...args, "--json"])).stdout) as { error: { code: string } }).error.code;
  expect(await errorOf("heart")).toBe("USAGE");
  expect(await errorOf("--out", folder)).toBe("USAGE");
  expect(await errorOf("heart-disease", "--from", file, "--out", join(folder, "out"))).toBe("DATA_INVALID");
  expect(await readdir(folder)).toEqual(["fed_heart.csv"]);
});
