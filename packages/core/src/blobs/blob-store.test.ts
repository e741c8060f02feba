import { execFileSync } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { afterAll, describe, expect, it } from "vitest";
import { blobStoreCompliance } from "./blob-store.compliance.ts";
import { folderBlobStore } from "./folder-blob-store.ts";
import { memoryBlobStore } from "./memory-blob-store.ts";

const root = await mkdtemp(join(tmpdir(), "nexus-blobs-"));
afterAll(() => rm(root, { recursive: true, force: true }));
let made = 0;
const freshFolder = (): string => join(root, String(made++));

blobStoreCompliance("the folder", () => folderBlobStore(freshFolder()));
blobStoreCompliance("the memory", async () => memoryBlobStore());

/** Whether this machine lets the test mount a file system of its own, which takes root. */
function canMount(): boolean {
  try {
    execFileSync("unshare", ["--mount", "true"], { stdio: "ignore" });
    return process.platform === "linux";
  } catch {
    return false;
  }
}

describe("the folder", () => {
  it("clears what an interrupted process left in staging, and keeps the blobs", async () => {
    const dir = freshFolder();
    const first = await folderBlobStore(dir);
    const hash = await first.put(new Uint8Array([1, 2, 3]));
    const staged = await first.stage();
    await staged.write(new Uint8Array(100));
    expect(await readdir(join(dir, "staging"))).toHaveLength(1);
    const second = await folderBlobStore(dir);
    expect(await readdir(join(dir, "staging"))).toEqual([]);
    expect(await second.read(hash)).toEqual(new Uint8Array([1, 2, 3]));
    await staged.discard();
  });

  it("keeps blobs and folders to their owner", async () => {
    const dir = freshFolder();
    const hash = await (await folderBlobStore(dir)).put(new Uint8Array([1]));
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    expect((await stat(join(dir, hash.slice(0, 2), hash))).mode & 0o777).toBe(0o600);
  });

  it("ignores files that are no blobs", async () => {
    const dir = freshFolder();
    const store = await folderBlobStore(dir);
    await mkdir(join(dir, "ab"));
    await writeFile(join(dir, "ab", "note.txt"), "x");
    const hashes: string[] = [];
    for await (const hash of store.list()) hashes.push(hash);
    expect(hashes).toEqual([]);
  });

  it.skipIf(process.platform !== "linux")("holds no file open once its work is done", async () => {
    const store = await folderBlobStore(freshFolder());
    const open = async (): Promise<number> => (await readdir("/proc/self/fd")).length;
    const before = await open();
    const hash = await store.put(new Uint8Array(1_000_000));
    for (let turn = 0; turn < 20; turn += 1) {
      await store.read(hash, turn, 10);
      await expect(store.read(hash, 999_999, 10)).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
      for await (const chunk of store.stream(hash)) if (chunk.length > 0) break;
      const staged = await store.stage();
      await staged.write(new Uint8Array(10));
      if (turn % 2 === 0) await staged.commit();
      else await staged.discard();
    }
    expect(await open()).toBeLessThanOrEqual(before);
  });

  it("survives a pipeline that holds several chunks", async () => {
    const dir = freshFolder();
    const store = await folderBlobStore(dir);
    const bytes = Uint8Array.from({ length: 5_000_000 }, (_, index) => (index * 7 + (index >> 9)) & 255);
    const hash = await store.put(bytes);
    await pipeline(Readable.from(store.stream(hash)), createWriteStream(join(dir, "copy"), { highWaterMark: 16 * 1024 }));
    expect(Buffer.compare(await readFile(join(dir, "copy")), bytes)).toBe(0);
  });

  it.skipIf(!canMount())("says DISK_FULL, gives the space back, and goes on when there is space", async () => {
    const dir = freshFolder();
    await mkdir(dir);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", dir]);
    try {
      const store = await folderBlobStore(dir);
      const kept = await store.put(new Uint8Array(500_000).fill(1));
      await expect(store.put(new Uint8Array(3_000_000))).rejects.toMatchObject({ code: "DISK_FULL", retryable: true });
      expect(await readdir(join(dir, "staging"))).toEqual([]);
      expect(await store.size(kept)).toBe(500_000);
      await store.put(new Uint8Array(1_000_000));
    } finally {
      execFileSync("umount", [dir]);
    }
  });
});
