import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, rm, stat, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { assertSha256, blobIoError, blobNotFound, blobTooShort } from "./blob-errors.ts";
import { type BlobStore, isSha256, type Sha256 } from "./blob-store.ts";
import { openFolderStagedBlob, readFully, syncFolder } from "./folder-staged-blob.ts";

const STAGING = "staging";
const CHUNK_BYTES = 256 * 1024;
/** Chunks that may be alive at once: one in a reader, one in a writer, one on its way, one being filled. */
const CHUNKS = 4;
/** One system call reads less than 2 GiB; larger reads are done in pieces. */
const MAX_READ_BYTES = 2 ** 30;

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

/**
 * Blobs as files `DIR/ab/abcd…`, staged in `DIR/staging`. *Committed* means that the bytes and the name
 * have reached the disk. One process owns the folder; what an earlier one left in staging is deleted.
 *
 * @throws DISK_FULL when there is no space; INTERNAL for other failures of the file system
 */
export async function folderBlobStore(dir: string): Promise<BlobStore> {
  const staging = join(dir, STAGING);
  const pathOf = (hash: Sha256): string => join(dir, hash.slice(0, 2), hash);

  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await rm(staging, { recursive: true, force: true });
    await mkdir(staging, { mode: 0o700 });
    await syncFolder(dir);
  } catch (error) {
    throw blobIoError(error, `prepare the blob folder ${dir}`);
  }

  const openBlob = async (hash: Sha256): Promise<FileHandle> => {
    assertSha256(hash);
    try {
      return await open(pathOf(hash), "r");
    } catch (error) {
      throw isMissing(error) ? blobNotFound(hash) : blobIoError(error, `open blob ${hash}`);
    }
  };

  const stage: BlobStore["stage"] = () => openFolderStagedBlob(join(staging, randomUUID()), pathOf);

  return {
    stage,
    async put(bytes) {
      const staged = await stage();
      try {
        await staged.write(bytes);
        return (await staged.commit()).hash;
      } finally {
        await staged.discard();
      }
    },
    async size(hash) {
      if (!isSha256(hash)) return undefined;
      try {
        return (await stat(pathOf(hash))).size;
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw blobIoError(error, `look at blob ${hash}`);
      }
    },
    async read(hash, offset = 0, length, into) {
      const file = await openBlob(hash);
      try {
        const wanted = length ?? Math.max(0, (await file.stat()).size - offset);
        const bytes = into ?? new Uint8Array(Buffer.allocUnsafeSlow(wanted).buffer);
        if (bytes.length !== wanted) throw new RangeError(`${bytes.length} bytes of memory were given for ${wanted} bytes of blob ${hash}.`);
        for (let done = 0; done < wanted;) {
          const piece = bytes.subarray(done, Math.min(wanted, done + MAX_READ_BYTES));
          if ((await readFully(file, piece, offset + done)) < piece.length) throw blobTooShort(hash, offset + wanted, (await file.stat()).size);
          done += piece.length;
        }
        return bytes;
      } catch (error) {
        throw blobIoError(error, `read blob ${hash}`);
      } finally {
        await file.close();
      }
    },
    async *stream(hash, offset = 0) {
      const file = await openBlob(hash);
      try {
        const { size } = await file.stat();
        if (offset > size) throw blobTooShort(hash, offset, size);
        const chunks: Uint8Array[] = [];
        for (let done = offset, turn = 0; done < size; turn = (turn + 1) % CHUNKS) {
          const chunk = (chunks[turn] ??= new Uint8Array(Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, size - offset)).buffer));
          const piece = chunk.subarray(0, Math.min(CHUNK_BYTES, size - done));
          if ((await readFully(file, piece, done)) < piece.length) throw blobTooShort(hash, size, done);
          done += piece.length;
          yield piece;
        }
      } catch (error) {
        throw blobIoError(error, `read blob ${hash}`);
      } finally {
        await file.close();
      }
    },
    async delete(hash) {
      assertSha256(hash);
      await rm(pathOf(hash), { force: true }).catch((error: unknown) => {
        throw blobIoError(error, `delete blob ${hash}`);
      });
    },
    async *list() {
      for (const folder of await readdir(dir)) {
        if (!/^[0-9a-f]{2}$/.test(folder)) continue;
        for (const name of await readdir(join(dir, folder))) if (isSha256(name)) yield name;
      }
    },
  };
}
