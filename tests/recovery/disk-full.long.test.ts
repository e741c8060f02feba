import { spawnSync } from "node:child_process";
import { chmod, mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import { describe, expect, it } from "vitest";
import { event, expectWhole, startFederation, undisturbedHash } from "./federation.ts";
import { runSpec } from "./parties.ts";

/** What an empty cluster, its log and some rounds take, with room for the next segment of the log. */
const DISK_BYTES = 160 * 2 ** 20;

/** A small disk of its own; only root can have one. */
async function smallDisk(path: string): Promise<AsyncDisposable | undefined> {
  await mkdir(path);
  if (process.getuid?.() !== 0 || spawnSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", path]).status !== 0) return undefined;
  await chmod(path, 0o711);
  return {
    async [Symbol.asyncDispose]() {
      spawnSync("umount", ["-l", path]);
    },
  };
}

/** Writes until nothing more fits. */
async function fill(path: string): Promise<void> {
  await using file = await open(path, "w");
  for (let sizeBytes = 1 << 20; sizeBytes >= 512;) {
    try {
      await file.write(Buffer.alloc(sizeBytes));
    } catch {
      sizeBytes /= 2; // full for a piece of that size
    }
  }
}

describe("a full disk under the data folder", () => {
  it("stops a run without failing it; with space again it goes on, and nothing acknowledged was lost", { timeout: 180_000 }, async ({ skip }) => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "disk");
    await using disk = await smallDisk(path);
    if (disk === undefined) return skip("A small disk cannot be mounted here.");
    await using federation = await startFederation({ folder: path });
    const expected = await undisturbedHash(federation, 3);

    const filled = Promise.withResolvers<void>();
    federation.pace = { before: (party, { round }, kind) => (round === 2 && kind === "fit" && party !== "clinic-a" ? filled.promise : undefined) };
    const run = await federation.nexus.runs.start(runSpec(3));
    // One answer of round 2 is acknowledged before the disk is full, the others find it full.
    await expect
      .poll(async () => (await run.show()).rounds.find(({ round }) => round === 2)?.participations.map(({ state }) => state), { timeout: 30_000 })
      .toContain("accepted");
    await fill(join(path, "ballast"));
    filled.resolve();
    expect(await event(run, ({ type }) => type === "run-waiting")).toMatchObject({ payload: { code: "DISK_FULL" } });
    await rm(join(path, "ballast"));

    expect((await run.result()).modelHash).toBe(expected);
    await expectWhole(federation, run, 3);
  });
});
