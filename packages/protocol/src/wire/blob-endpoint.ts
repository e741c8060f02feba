/**
 * The coordinator's side of blob transfer, the same for every transport.
 *
 * @module
 */
import type { BlobStore, Sha256, StagedBlob } from "@ciphernx/core/blobs";
import { NexusError } from "@ciphernx/core/errors";

/** What an upload announces before its first byte. */
export interface BlobUpload {
  /** The hash that the sender claims. */
  readonly hash: Sha256;
  readonly sizeBytes: number;
  readonly taskId: string | undefined;
}

/** What the coordinator decides about blobs. `caller` is the bearer token of the request, undefined when it has none. */
export interface BlobEndpoint {
  /** Where blobs are read from and staged. */
  readonly store: BlobStore;
  /** Resolves when the caller may read the blob; throws UNAUTHENTICATED, FORBIDDEN, BLOB_NOT_FOUND. */
  authorizeGet(caller: string | undefined, hash: Sha256): Promise<void>;
  /**
   * Resolves when the caller may send this blob. Asked before the body is read, so a wrong size costs nothing.
   * Throws UNAUTHENTICATED, FORBIDDEN, TASK_CLOSED, UPDATE_REJECTED.
   */
  authorizePut(caller: string | undefined, upload: BlobUpload): Promise<void>;
  /**
   * Takes over a finished staged blob whose hash and size are as announced. The upload is acknowledged when this
   * resolves; when it throws, the staged bytes are discarded and the sender gets the error.
   */
  staged(received: BlobUpload & { readonly caller: string | undefined; readonly staged: StagedBlob }): Promise<void>;
  /** Told of an authorised upload that was not taken, before the sender is. */
  failed?(upload: BlobUpload & { readonly caller: string | undefined }, error: unknown): Promise<void>;
}

/**
 * Stages an authorised upload chunk by chunk, compares what arrived with what was announced, and hands it over.
 * The staged bytes are discarded on every other way out: a sender that vanishes, too many or too few bytes, a wrong hash.
 *
 * @throws BLOB_CORRUPT, DISK_FULL, whatever `chunks` and `endpoint.staged` throw.
 */
export async function receiveBlob(
  endpoint: BlobEndpoint,
  upload: BlobUpload & { readonly caller: string | undefined },
  chunks: AsyncIterable<Uint8Array>,
): Promise<void> {
  try {
    await stageBlob(endpoint, upload, chunks);
  } catch (error) {
    await endpoint.failed?.(upload, error);
    throw error;
  }
}

async function stageBlob(
  endpoint: BlobEndpoint,
  upload: BlobUpload & { readonly caller: string | undefined },
  chunks: AsyncIterable<Uint8Array>,
): Promise<void> {
  const staged = await endpoint.store.stage();
  try {
    let receivedBytes = 0;
    for await (const chunk of chunks) {
      receivedBytes += chunk.length;
      if (receivedBytes > upload.sizeBytes) throw wrongSize(upload, `more than ${upload.sizeBytes}`);
      await staged.write(chunk);
    }
    if (receivedBytes !== upload.sizeBytes) throw wrongSize(upload, String(receivedBytes));
    const { hash } = await staged.finish();
    if (hash !== upload.hash) {
      throw new NexusError("BLOB_CORRUPT", `The ${receivedBytes} bytes sent as blob ${upload.hash} have the hash ${hash}.`, {
        details: { announced: upload.hash, actual: hash },
      });
    }
    await endpoint.staged({ ...upload, staged });
  } catch (error) {
    await staged.discard();
    throw error;
  }
}

function wrongSize(upload: BlobUpload, received: string): NexusError {
  return new NexusError("BLOB_CORRUPT", `Blob ${upload.hash} was announced with ${upload.sizeBytes} bytes, but ${received} arrived.`, {
    details: { announcedBytes: upload.sizeBytes },
  });
}
