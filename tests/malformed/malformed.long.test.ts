import { fork } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder, testDatabase } from "@ciphernx/core/store/testing";
import { describe, expect, it } from "vitest";
import { attackListeners, isAlive, type Target } from "./attack-listeners.ts";
import { attackParsers } from "./attack-parsers.ts";

/** A slice of `npm run bench -- malformed-messages`, which sends a million. */
const SEED = 20_261_123;

describe(`malformed input (seed ${SEED})`, () => {
  it("over every listener is answered by name, expected, and survived", async () => {
    await using folder = await temporaryFolder();
    await using database = await testDatabase();
    const home = join(folder.path, "home");
    const file = join(import.meta.dirname, "../../bench/processes/attacked-coordinator.ts");
    const child = fork(file, [JSON.stringify({ home, databaseUrl: database.databaseUrl })], {
      execArgv: ["--conditions=source"],
      serialization: "advanced",
    });
    const exited = once(child, "exit");
    try {
      const [target] = (await once(child, "message")) as [Target];
      const { messages, nameless, statuses } = await attackListeners(target, { messages: 2_000, seed: SEED });
      expect(nameless).toEqual([]);
      expect(messages).toBeGreaterThanOrEqual(2_000);
      // It came as far as handlers, parsers and refusals.
      for (const status of [200, 400, 403]) expect(statuses.get(status)).toBeGreaterThan(0);
      expect(await isAlive(target)).toBe(true);
      expect(await readFile(join(home, "coordinator.log"), "utf8")).not.toContain("unexpected error");
    } finally {
      child.disconnect();
      await exited;
    }
    expect(child.exitCode).toBe(0);
  });

  it("in files of every kind is refused by name", async () => {
    await using folder = await temporaryFolder();
    const { files, accepted, unexpected } = await attackParsers(folder.path, { files: 1_500, seed: SEED });
    expect(unexpected).toEqual([]);
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(files);
  });
});
