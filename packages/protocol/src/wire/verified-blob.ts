import type { Sha256 } from "@ciphernx/core/blobs";
import { NexusError } from "@ciphernx/core/errors";
import type { BlobGetWholeOptions } from "./transport.ts";

/** SHA-256 of bytes that come in pieces: of `node:crypto`, or of JavaScript where a browser has none that streams. */
export interface StreamHash {
  update(bytes: Uint8Array): unknown;
  /** Hex. */
  digest(encoding: "hex"): string;
}

/** Passes a blob's chunks on and throws BLOB_CORRUPT as soon as there are too many bytes, or at the end when size or SHA-256 are wrong. */
export async function* verifiedBlob(
  hash: Sha256,
  sizeBytes: number,
  chunks: AsyncIterable<Uint8Array>,
  newHash: () => StreamHash,
): AsyncGenerator<Uint8Array> {
  const hasher = newHash();
  let receivedBytes = 0;
  for await (const chunk of chunks) {
    receivedBytes += chunk.length;
    if (receivedBytes > sizeBytes) break;
    hasher.update(chunk);
    yield chunk;
  }
  if (receivedBytes !== sizeBytes) throw wrongBlobSize(hash, sizeBytes, receivedBytes);
  const actual = hasher.digest("hex");
  if (actual !== hash) {
    throw new NexusError("BLOB_CORRUPT", `The ${sizeBytes} bytes received as blob ${hash} have the hash ${actual}.`, {
      details: { blob: hash, actual },
    });
  }
}

/** Reads a whole blob into memory, verified. */
export async function collectBlob(
  hash: Sha256,
  sizeBytes: number,
  chunks: AsyncIterable<Uint8Array>,
  newHash: () => StreamHash,
  memory: BlobGetWholeOptions["memory"] = (length) => new Uint8Array(length),
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = memory(sizeBytes);
  let offset = 0;
  for await (const chunk of verifiedBlob(hash, sizeBytes, chunks, newHash)) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

/** Throws BLOB_CORRUPT when the size that the other side tells is not the one that was expected. */
export function expectBlobSize(hash: Sha256, expectedSizeBytes: number | undefined, sizeBytes: number): void {
  if (expectedSizeBytes !== undefined && expectedSizeBytes !== sizeBytes) throw wrongBlobSize(hash, expectedSizeBytes, sizeBytes);
}

function wrongBlobSize(hash: Sha256, expectedBytes: number, actualBytes: number): NexusError {
  return new NexusError("BLOB_CORRUPT", `Blob ${hash} has ${actualBytes} bytes instead of ${expectedBytes}.`, {
    details: { blob: hash, expectedBytes, actualBytes },
  });
}
