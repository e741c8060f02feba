import { once } from "node:events";
import { appendFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import { describe, expect, it } from "vitest";
import { colours } from "../output/colours.ts";
import { runNexus, startNexus } from "../testing/nexus-process.ts";
import { formatEntry, parseEntry, readLog } from "./index.ts";

const entry = (msg: string, level = 30, more: object = {}): string =>
  `${JSON.stringify({ level, time: "2026-11-23T16:00:00.000Z", ...more, msg })}\n`;

describe("a line of a log", () => {
  it("is told with its fields, and nothing in it reaches the terminal as a command", () => {
    const plain = colours(false);
    const line = entry("closed\u001B[2J", 40, { run: "run_1", err: { type: "Error", message: "no\nspace", stack: "at x" }, count: 3 });
    expect(formatEntry(parseEntry(line)!, plain)).toBe(
      String.raw`2026-11-23T16:00:00.000Z  WARN   closed\x1b[2J  run=run_1  err="no\nspace"  count=3`,
    );
    for (const none of ["", "half a li", "null", "[]", '{"level":30}', '{"level":"30","time":"x"}']) expect(parseEntry(none)).toBeUndefined();
  });
});

describe("nexus logs", () => {
  it("prints the last lines of the coordinator's log, from a level on", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "coordinator.log");
    const env = { NEXUS_HOME: folder.path };
    expect(await runNexus(["logs"], { env })).toMatchObject({ code: 1, stderr: expect.stringContaining("There is no log") as string });
    await writeFile(file, `${entry("one")}${entry("two", 50)}garbage\n${entry("three")}{"level":30,"ti`);
    const printed = await runNexus(["logs", "--lines", "3"], { env });
    expect(printed.stdout.trim().split("\n")).toMatchObject([expect.stringContaining("ERROR  two"), expect.stringContaining("INFO   three")]);
    const { data } = JSON.parse((await runNexus(["logs", "--level", "error", "--json"], { env })).stdout) as { data: { entries: unknown[] } };
    expect(data.entries).toMatchObject([{ msg: "two", level: 50 }]);
  });

  it("goes on with what comes, whole lines alone, also after the file was replaced", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "coordinator.log");
    await writeFile(file, `${entry("before")}{"half`);
    const stop = new AbortController();
    const lines = readLog(file, { lines: 0, follow: true, signal: stop.signal });
    const next = async () => (await lines.next()).value;
    const first = next();
    await appendFile(file, `":1}\n${entry("ä second")}`);
    expect(await first).toBe('{"half":1}');
    expect(await next()).toContain("ä second");
    await rename(file, `${file}.1`);
    await writeFile(file, entry("after"));
    expect(await next()).toContain("after");
    stop.abort();
    expect(await lines.next()).toMatchObject({ done: true });
  });

  it("follows until it is interrupted", { timeout: 30_000 }, async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "coordinator.log");
    await writeFile(file, entry("first"));
    const child = startNexus(["logs", "--follow", "--jsonl"], { env: { NEXUS_HOME: folder.path } });
    const lines = createInterface({ input: child.stdout });
    expect((await once(lines, "line"))[0]).toContain("first");
    const second = once(lines, "line");
    await appendFile(file, entry("second"));
    expect((await second)[0]).toContain("second");
    const ended = once(child, "exit");
    child.kill("SIGINT");
    expect((await ended)[0]).toBe(130);
  });
});
