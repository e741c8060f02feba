import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { NexusError } from "../errors/index.ts";
import { lockFolder } from "./folder-lock.ts";
import { processIdentity } from "./process-identity.ts";
import { temporaryFolder } from "./testing/index.ts";
import { startScript, until } from "./testing/process-fixture.ts";

const temporary = await temporaryFolder();
afterAll(() => temporary[Symbol.asyncDispose]());
let made = 0;
async function freshFolder(): Promise<string> {
  const path = join(temporary.path, String(made++));
  await mkdir(path);
  return path;
}

describe("the lock of a data folder", () => {
  it("is held once, released, and leaves nothing behind", async () => {
    const dir = await freshFolder();
    const lock = await lockFolder(dir);
    await expect(lockFolder(dir)).rejects.toMatchObject({ code: "DATA_FOLDER_BUSY", details: { pid: process.pid } });
    expect(await readdir(dir)).toEqual(["lock"]);
    await lock.release();
    await lock.release();
    expect(await readdir(dir)).toEqual([]);
    await (await lockFolder(dir)).release();
  });

  it("goes to one of many who want it at once, also when a dead process held it", async () => {
    for (let round = 0; round < 20; round += 1) {
      const dir = await freshFolder();
      // In every second round a process died while it was taking over from the dead one.
      const [dead, claimer] = [
        { pid: 4_194_304, identity: "gone", id: "1" },
        { pid: 4_194_305, identity: "gone", id: "2" },
      ].map((one) => JSON.stringify(one));
      await writeFile(join(dir, "lock"), dead ?? "");
      if (round % 2 === 1)
        await writeFile(
          join(
            dir,
            `lock.claim-${createHash("sha256")
              .update(dead ?? "")
              .digest("hex")}`,
          ),
          claimer ?? "",
        );
      const results = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(dir)));
      expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
      const refusals = results.filter((result) => result.status === "rejected").map((result) => result.reason as NexusError);
      expect(refusals.every((reason) => reason.code === "DATA_FOLDER_BUSY")).toBe(true);
      expect(await readdir(dir)).toEqual(["lock"]);
    }
  });

  it("is taken over when its process was killed", async () => {
    const dir = await freshFolder();
    const source = `import { lockFolder } from "./src/store/folder-lock.ts"; await lockFolder(process.argv[1]); console.log("held"); setInterval(() => {}, 1000);`;
    const script = startScript(source, [dir]);
    expect(await script.line()).toBe("held");
    await expect(lockFolder(dir)).rejects.toMatchObject({ code: "DATA_FOLDER_BUSY", message: expect.stringContaining(`process ${script.pid}`) });
    await script.kill();
    await (await lockFolder(dir)).release();
  });

  it("is taken over when another process has the number of the one that held it", async () => {
    const dir = await freshFolder();
    const identity = (await processIdentity(process.ppid)) ?? "";
    await writeFile(join(dir, "lock"), JSON.stringify({ pid: process.ppid, identity }));
    await expect(lockFolder(dir)).rejects.toMatchObject({ code: "DATA_FOLDER_BUSY" });
    await writeFile(join(dir, "lock"), JSON.stringify({ pid: process.ppid, identity: `${identity}0` }));
    await (await lockFolder(dir)).release();
  });

  it("is taken over when a power failure left it empty, and old drafts are swept", async () => {
    const dir = await freshFolder();
    await writeFile(join(dir, "lock"), "");
    await writeFile(join(dir, "lock.draft-old"), "");
    await utimes(join(dir, "lock.draft-old"), 0, 0);
    const lock = await lockFolder(dir);
    expect(JSON.parse(await readFile(join(dir, "lock"), "utf8"))).toMatchObject({ pid: process.pid });
    expect(await readdir(dir)).toEqual(["lock"]);
    await lock.release();
  });
});

describe("processIdentity", () => {
  it("is stable for a process, differs between processes, and is nothing for none", async () => {
    expect(await processIdentity(process.pid)).toBe(await processIdentity(process.pid));
    expect(await processIdentity(process.pid)).not.toBe(await processIdentity(1));
    expect(await processIdentity(4_194_305)).toBeUndefined();
  });

  it.skipIf(process.platform !== "linux")("is nothing for a zombie", async () => {
    // The shell becomes `sleep`, which never waits for the child the shell had started.
    const script = startScript(
      `import { spawn } from "node:child_process"; spawn("/bin/sh", ["-c", "sleep 0 & echo $!; exec sleep 60"], { stdio: ["ignore", "inherit", "ignore"] });`,
      [],
    );
    const zombie = Number(await script.line());
    await until(async () => (await readFile(`/proc/${zombie}/stat`, "utf8")).includes(") Z "));
    expect(await processIdentity(zombie)).toBeUndefined();
    process.kill(-script.pid, "SIGKILL");
  });
});
