import { createHash } from "node:crypto";
import { assertSha256, blobNotFound, blobTooShort, stagedBlobEnded } from "./blob-errors.ts";
import type { BlobStore, Sha256, StagedBlob } from "./blob-store.ts";

const CHUNK_BYTES = 256 * 1024;

function slice(hash: Sha256, bytes: Uint8Array, offset: number, length: number, into = new Uint8Array(length)): Uint8Array<ArrayBuffer> {
  if (offset + length > bytes.length) throw blobTooShort(hash, offset + length, bytes.length);
  if (into.length !== length) throw new RangeError(`${into.length} bytes of memory were given for ${length} bytes of blob ${hash}.`);
  into.set(bytes.subarray(offset, offset + length));
  return into;
}

function concatenate(chunks: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  const whole = new Uint8Array(sizeBytes);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

/** Blobs in memory, for a simulation inside one process: same addresses, nothing on disk, gone with the process. */
export function memoryBlobStore(): BlobStore {
  const blobs = new Map<Sha256, Uint8Array>();

  const find = (hash: Sha256): Uint8Array => {
    assertSha256(hash);
    const bytes = blobs.get(hash);
    if (bytes === undefined) throw blobNotFound(hash);
    return bytes;
  };

  const stage = (): StagedBlob => {
    const hasher = createHash("sha256");
    let chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    let finished: { hash: Sha256; sizeBytes: number; bytes: Uint8Array } | undefined;
    let state: "open" | "committed" | "discarded" = "open";

    const finish = (): { hash: Sha256; sizeBytes: number; bytes: Uint8Array } => {
      if (finished === undefined) {
        if (state !== "open") throw stagedBlobEnded("finish");
        finished = { hash: hasher.digest("hex") as Sha256, sizeBytes, bytes: concatenate(chunks, sizeBytes) };
        chunks = [];
      }
      return finished;
    };

    return {
      async write(chunk) {
        if (finished !== undefined || state !== "open") throw stagedBlobEnded("write");
        hasher.update(chunk);
        chunks.push(Uint8Array.from(chunk));
        sizeBytes += chunk.length;
      },
      async flush() {
        if (finished !== undefined || state !== "open") throw stagedBlobEnded("flush");
      },
      async finish() {
        const result = finish();
        return { hash: result.hash, sizeBytes: result.sizeBytes };
      },
      async read(offset, length, into) {
        if (finished === undefined || state !== "open") throw stagedBlobEnded("read");
        return slice(finished.hash, finished.bytes, offset, length, into);
      },
      async commit() {
        const result = finish();
        if (state === "discarded") throw stagedBlobEnded("commit");
        if (state === "open") blobs.set(result.hash, result.bytes);
        state = "committed";
        return { hash: result.hash, sizeBytes: result.sizeBytes };
      },
      async discard() {
        if (state === "open") state = "discarded";
        chunks = [];
      },
    };
  };

  return {
    stage: async () => stage(),
    async put(bytes) {
      const staged = stage();
      await staged.write(bytes);
      return (await staged.commit()).hash;
    },
    size: async (hash) => blobs.get(hash)?.length,
    async read(hash, offset = 0, length, into) {
      const bytes = find(hash);
      return slice(hash, bytes, offset, length ?? Math.max(0, bytes.length - offset), into);
    },
    async *stream(hash, from = 0) {
      const bytes = find(hash);
      if (from > bytes.length) throw blobTooShort(hash, from, bytes.length);
      for (let offset = from; offset < bytes.length; offset += CHUNK_BYTES) {
        yield slice(hash, bytes, offset, Math.min(CHUNK_BYTES, bytes.length - offset));
      }
    },
    async delete(hash) {
      assertSha256(hash);
      blobs.delete(hash);
    },
    async *list() {
      yield* blobs.keys();
    },
  };
}
