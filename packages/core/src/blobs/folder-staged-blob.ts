import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { blobIoError, blobTooShort, stagedBlobEnded } from "./blob-errors.ts";
import type { Sha256, StagedBlob } from "./blob-store.ts";
import { gatheringWriter } from "./gathering-writer.ts";

/** Reads from a position until the buffer is full or the file ends; tells how many bytes came. */
export async function readFully(file: FileHandle, into: Uint8Array, position: number): Promise<number> {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await file.read(into, done, into.length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

/** Makes the names in a folder durable: a rename is only as lasting as its folder. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function renameDurably(from: string, to: string): Promise<void> {
  const folder = dirname(to);
  try {
    await rename(from, to);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await syncFolder(dirname(folder));
    await rename(from, to);
  }
  await syncFolder(folder);
}

/**
 * A staged blob in a file of its own.
 *
 * @param stagingPath - a fresh file, on the same file system as the final place
 * @param pathOf - the final place of a hash
 */
export async function openFolderStagedBlob(stagingPath: string, pathOf: (hash: Sha256) => string): Promise<StagedBlob> {
  const file = await open(stagingPath, "wx+", 0o600).catch((error: unknown) => {
    throw blobIoError(error, `open ${stagingPath}`);
  });
  const hasher = createHash("sha256");
  const writer = gatheringWriter(file);
  let written: Promise<void> = Promise.resolve();
  let sizeBytes = 0;
  let pending = 0;
  let finished: Promise<{ hash: Sha256; sizeBytes: number }> | undefined;
  let committed: Promise<{ hash: Sha256; sizeBytes: number }> | undefined;
  let ended: Promise<void> | undefined;

  const discard = (): Promise<void> => {
    ended ??= (async () => {
      await file.close();
      await rm(stagingPath, { force: true });
    })();
    return ended;
  };

  const finish = (): Promise<{ hash: Sha256; sizeBytes: number }> => {
    if (finished !== undefined) return finished;
    if (ended !== undefined || pending > 0) return Promise.reject(stagedBlobEnded("finish"));
    const hash = hasher.digest("hex") as Sha256;
    const durable = writer.flush().then(() => file.datasync());
    finished = durable.then(
      () => ({ hash, sizeBytes }),
      async (error: unknown) => {
        await discard();
        throw blobIoError(error, `make ${sizeBytes} bytes of ${stagingPath} durable`);
      },
    );
    return finished;
  };

  return {
    async write(chunk) {
      if (finished !== undefined || ended !== undefined) throw stagedBlobEnded("write");
      sizeBytes += chunk.length;
      pending += 1;
      try {
        // What came before is written while this thread hashes.
        hasher.update(chunk);
        written = pending === 1 ? writer.write(chunk) : written.then(() => writer.write(chunk));
        await written;
      } catch (error) {
        // Half a blob is worth nothing, and on a full disk the space is needed.
        await discard();
        throw blobIoError(error, `write ${chunk.length} bytes to ${stagingPath}`);
      } finally {
        pending -= 1;
      }
    },
    async flush() {
      if (finished !== undefined || ended !== undefined || pending > 0) throw stagedBlobEnded("flush");
      pending += 1;
      try {
        written = writer.flush();
        await written;
      } catch (error) {
        await discard();
        throw blobIoError(error, `write ${sizeBytes} bytes to ${stagingPath}`);
      } finally {
        pending -= 1;
      }
    },
    finish,
    async read(offset, length, into = new Uint8Array(length)) {
      if (ended !== undefined || finished === undefined) throw stagedBlobEnded("read");
      if (into.length !== length) throw new RangeError(`${into.length} bytes of memory were given for ${length} staged bytes.`);
      const { hash } = await finished;
      if ((await readFully(file, into, offset)) < length) throw blobTooShort(hash, offset + length, sizeBytes);
      return into;
    },
    commit() {
      committed ??= (async () => {
        const result = await finish();
        if (ended !== undefined) throw stagedBlobEnded("commit");
        ended = (async () => {
          try {
            await renameDurably(stagingPath, pathOf(result.hash));
          } catch (error) {
            await rm(stagingPath, { force: true });
            throw blobIoError(error, `commit blob ${result.hash}`);
          } finally {
            await file.close();
          }
        })();
        await ended;
        return result;
      })();
      return committed;
    },
    // After a failed commit there is nothing left to forget, and the commit has told its caller.
    discard: () => discard().catch(() => {}),
  };
}
