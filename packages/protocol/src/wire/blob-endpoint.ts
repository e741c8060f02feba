/**
 * The coordinator's side of blob transfer, the same for every transport.
 *
 * @module
 */
import type { BlobStore, Sha256, StagedBlob } from "@ciphernx/core/blobs";
import { NexusError } from "@ciphernx/core/errors";
import { offsetMismatch, type PartialUploads, type RunningUpload, type UploadProgress } from "./partial-uploads.ts";

/** What an upload announces before its first byte. */
export interface BlobUpload {
  /** The hash that the sender claims. */
  readonly hash: Sha256;
  readonly sizeBytes: number;
  readonly taskId: string | undefined;
}

/**
 * What the coordinator decides about blobs. `caller` is the bearer token of the request, undefined when it has none; `address` is where
 * its connection comes from, undefined within the process.
 */
export interface BlobEndpoint {
  /** Where blobs are read from and staged. */
  readonly store: BlobStore;
  /** Resolves when the caller may read the blob; throws UNAUTHENTICATED, FORBIDDEN, RATE_LIMITED, BLOB_NOT_FOUND. */
  authorizeGet(caller: string | undefined, hash: Sha256, address?: string): Promise<void>;
  /**
   * Resolves when the caller may send this blob. Asked before the body is read, so a wrong size costs nothing.
   * Throws UNAUTHENTICATED, FORBIDDEN, RATE_LIMITED, TASK_CLOSED, UPDATE_REJECTED.
   */
  authorizePut(caller: string | undefined, upload: BlobUpload, address?: string): Promise<void>;
  /**
   * Takes over a finished staged blob whose hash and size are as announced. The upload is acknowledged when this
   * resolves; when it throws, the staged bytes are discarded and the sender gets the error.
   */
  staged(received: BlobUpload & { readonly caller: string | undefined; readonly staged: StagedBlob }): Promise<void>;
  /** Told of an authorised upload that was not taken, before the sender is. */
  failed?(upload: BlobUpload & { readonly caller: string | undefined }, error: unknown): Promise<void>;
  /** Lets senders go on where an upload was cut. Absent: they begin anew. */
  readonly resuming?: Resuming | undefined;
}

/** What an endpoint provides for uploads that are cut. */
export interface Resuming {
  readonly uploads: PartialUploads;
  /** The name of an authorised sender that outlives its session: only who has it goes on with its uploads. Throws UNAUTHENTICATED. */
  uploader(caller: string | undefined): string;
  /** As `authorizePut`, for a sender that only asks how far it came. */
  authorize(caller: string | undefined, upload: BlobUpload, address?: string): Promise<void>;
}

/** How a transport takes part in resumption. */
export interface ResumableUpload {
  /** Where the sender goes on; 0 when it begins. */
  readonly offsetBytes: number;
  /** Ends the connection that the bytes come over, so that their iteration fails. */
  readonly interrupt: () => void;
}

/** Options of {@link receiveBlob}. */
export interface ReceiveOptions {
  /** Absent: the upload cannot be gone on with. */
  readonly resumable?: ResumableUpload | undefined;
  /** Called when nothing but the bytes is missing any more. */
  readonly ready?: (() => void) | undefined;
}

/**
 * Stages an authorised upload chunk by chunk, compares what arrived with what was announced, and hands it over.
 * When `chunks` fails, the connection has broken: what arrived is kept where the endpoint and the transport provide for
 * that. The staged bytes are discarded on every other way out: too many or too few bytes, a wrong hash, a refusal, a body that was not signed.
 *
 * @param chunks the bytes from the offset on
 * @throws BLOB_CORRUPT, DISK_FULL, UPLOAD_OFFSET_MISMATCH, whatever `chunks` and `endpoint.staged` throw.
 */
export async function receiveBlob(
  endpoint: BlobEndpoint,
  upload: BlobUpload & { readonly caller: string | undefined },
  chunks: AsyncIterable<Uint8Array>,
  options: ReceiveOptions = {},
): Promise<void> {
  try {
    await stageBlob(endpoint, upload, chunks, options);
  } catch (error) {
    await endpoint.failed?.(upload, error);
    throw error;
  }
}

async function stageBlob(
  endpoint: BlobEndpoint,
  upload: BlobUpload & { readonly caller: string | undefined },
  chunks: AsyncIterable<Uint8Array>,
  { resumable, ready }: ReceiveOptions,
): Promise<void> {
  const running = await openUpload(endpoint, upload, resumable);
  const { staged } = running;
  let receivedBytes = resumable?.offsetBytes ?? 0;
  let waiting = false;
  try {
    ready?.();
    waiting = true;
    for await (const chunk of chunks) {
      waiting = false;
      if (receivedBytes + chunk.length > upload.sizeBytes) throw wrongSize(upload, `more than ${upload.sizeBytes}`);
      await staged.write(chunk);
      receivedBytes += chunk.length;
      waiting = true;
    }
    waiting = false;
    if (receivedBytes !== upload.sizeBytes) throw wrongSize(upload, String(receivedBytes));
    const { hash } = await staged.finish();
    if (hash !== upload.hash) {
      throw new NexusError("BLOB_CORRUPT", `The ${receivedBytes} bytes sent as blob ${upload.hash} have the hash ${hash}.`, {
        details: { announced: upload.hash, actual: hash },
      });
    }
    await endpoint.staged({ ...upload, staged });
    running.complete();
  } catch (error) {
    // An error of ours is no cut: what came is not what was signed.
    if (waiting && !(error instanceof NexusError)) await running.keep(receivedBytes);
    await running.discard();
    throw error;
  }
}

/** Opens an upload that can be gone on with, or one that cannot. */
async function openUpload(
  { resuming, store }: BlobEndpoint,
  { caller, hash, sizeBytes, taskId }: BlobUpload & { readonly caller: string | undefined },
  resumable: ResumableUpload | undefined,
): Promise<RunningUpload> {
  if (resuming !== undefined && resumable !== undefined) {
    const identity = { uploader: resuming.uploader(caller), taskId, hash, sizeBytes };
    return resuming.uploads.open(identity, { ...resumable, stage: () => store.stage() });
  }
  if (resumable !== undefined && resumable.offsetBytes > 0) throw offsetMismatch({ hash }, resumable.offsetBytes, 0);
  const staged = await store.stage();
  return { staged, keep: () => staged.discard(), complete: () => {}, discard: () => staged.discard() };
}

/**
 * How far an upload came, for a sender that comes back. Throws what `authorize` throws.
 */
export async function uploadProgress(
  { resuming }: BlobEndpoint,
  upload: BlobUpload & { readonly caller: string | undefined },
  address?: string,
): Promise<UploadProgress> {
  if (resuming === undefined) return { offsetBytes: 0, complete: false };
  const { caller, hash, sizeBytes, taskId } = upload;
  await resuming.authorize(caller, { hash, sizeBytes, taskId }, address);
  return resuming.uploads.progress({ uploader: resuming.uploader(caller), taskId, hash, sizeBytes });
}

function wrongSize(upload: BlobUpload, received: string): NexusError {
  return new NexusError("BLOB_CORRUPT", `Blob ${upload.hash} was announced with ${upload.sizeBytes} bytes, but ${received} arrived.`, {
    details: { announcedBytes: upload.sizeBytes },
  });
}
