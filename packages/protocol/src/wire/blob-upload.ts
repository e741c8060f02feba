/**
 * Sends a blob, and goes on where the coordinator's part of it ends when the connection is cut. What the requests
 * look like stands at the head of `server/blob-answers.ts`.
 *
 * @module
 */
import type { Sha256 } from "@ciphernx/core/blobs";
import { NexusError } from "@ciphernx/core/errors";
import { type Exchange, foreignAnswer, type OpenExchange, refusal } from "./exchange.ts";
import { ASK_BEFORE_BYTES } from "./limits.ts";
import type { Patience } from "./patience.ts";
import { byteCount } from "./resumption-headers.ts";
import type { TokenBucket } from "./token-bucket.ts";
import type { BlobPutOptions } from "./transport.ts";

/** Uploads that are remembered as interrupted; a node has one task at a time. */
const MAX_INTERRUPTED = 64;

/** What an upload needs of its channel. */
export interface UploadContext {
  readonly open: OpenExchange;
  readonly origin: string;
  readonly signal: AbortSignal;
  readonly patience: Patience;
  /** Limits all uploads of the channel together. */
  readonly limit: TokenBucket | undefined;
  /** Uploads of the channel that were given up: the next call for one asks how far it came. */
  readonly interrupted: Set<string>;
}

/**
 * Sends a blob; resolves when it is acknowledged. Bytes in memory are sent on after a cut, and once more from their beginning when the
 * coordinator finds that the parts do not make the blob; an iterable is gone when it has been read, so its upload ends with the cut.
 */
export async function upload(bytes: Uint8Array | AsyncIterable<Uint8Array>, options: BlobPutOptions, context: UploadContext): Promise<void> {
  const { hash, sizeBytes, taskId } = options;
  const path = `/blobs/${hash}${taskId === undefined ? "" : `?task=${encodeURIComponent(taskId)}`}`;
  if (!(bytes instanceof Uint8Array)) return send(path, bytes, options, { offsetBytes: 0, asked: false }, context);
  if (bytes.length !== sizeBytes) throw wrongSize(hash, sizeBytes, String(bytes.length));
  const { patience, signal, interrupted } = context;
  let furthestBytes = 0;
  let mayStartOver = true;
  let ask = interrupted.has(path);
  for (;;) {
    try {
      const place = ask ? await askPlace(path, sizeBytes, context) : { offsetBytes: 0, asked: false };
      if (place.offsetBytes > furthestBytes) {
        furthestBytes = place.offsetBytes;
        patience.moved();
      }
      if (place.complete !== true) await send(path, bytes, options, place, context);
      interrupted.delete(path);
      return;
    } catch (error) {
      remember(interrupted, path);
      if (mayStartOver && furthestBytes > 0 && error instanceof NexusError && error.code === "BLOB_CORRUPT") {
        mayStartOver = false;
        ask = false;
        continue;
      }
      await patience.afterCut(error, signal);
      ask = true;
    }
  }
}

/** Where an upload goes on. */
interface Place {
  readonly offsetBytes: number;
  /** The coordinator has just said that it takes the rest. */
  readonly asked: boolean;
  readonly complete?: boolean;
}

/** Asks how far an upload came. Who is refused, or asks a coordinator that does not know the question, begins anew and hears why then. */
async function askPlace(path: string, sizeBytes: number, { open, origin, signal }: UploadContext): Promise<Place> {
  const asking = `${path}${path.includes("?") ? "&" : "?"}upload`;
  const request = open({ method: "HEAD", path: asking, headers: { "upload-length": String(sizeBytes) }, signal });
  request.end();
  const answer = await request.answer;
  answer.discard();
  const { status, headers } = answer;
  if (status >= 500) throw foreignAnswer(origin, status);
  if (status !== 204) return { offsetBytes: 0, asked: false };
  const offsetBytes = byteCount(headers["upload-offset"]);
  if (offsetBytes === undefined || offsetBytes > sizeBytes) throw foreignAnswer(origin, status);
  return { offsetBytes, asked: true, complete: headers["upload-complete"] === "?1" };
}

async function send(
  path: string,
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  { hash, sizeBytes }: BlobPutOptions,
  { offsetBytes, asked }: Place,
  { open, origin, signal, limit }: UploadContext,
): Promise<void> {
  const restBytes = sizeBytes - offsetBytes;
  const asks = !asked && restBytes >= ASK_BEFORE_BYTES;
  const headers = {
    "content-length": String(restBytes),
    "content-type": "application/octet-stream",
    ...(offsetBytes > 0 && { "upload-offset": String(offsetBytes), "upload-length": String(sizeBytes), "upload-complete": "?1" }),
  };
  const content = bytes instanceof Uint8Array ? bytes.subarray(offsetBytes) : { sha256: hash };
  const request = open({ method: "PUT", path, headers, signal, content });
  // An answer before the body has gone is a refusal, and ends the sending.
  const refused = asks && !(await request.mayContinue());
  const sending = refused
    ? Promise.resolve()
    : bytes instanceof Uint8Array
      ? sendBytes(request, bytes.subarray(offsetBytes), limit, signal)
      : sendBody(request, bytes, { hash, sizeBytes, limit, signal });
  // After a refusal nobody waits for it.
  sending.catch(() => {});
  const answer = await Promise.race([request.answer, sending.then(() => request.answer)]);
  if (answer.status !== 201) {
    const error = await refusal(answer, origin);
    request.destroy();
    throw error;
  }
  answer.discard();
  await sending;
}

async function sendBytes(request: Exchange, bytes: Uint8Array, limit: TokenBucket | undefined, signal: AbortSignal): Promise<void> {
  if (limit === undefined) {
    request.end(bytes);
    return;
  }
  await write(request, bytes, limit, signal);
  request.end();
}

/** Writes bytes as fast as the limit and the connection allow. */
async function write(request: Exchange, bytes: Uint8Array, limit: TokenBucket | undefined, signal: AbortSignal): Promise<void> {
  const pieceBytes = limit?.pieceBytes ?? bytes.length;
  for (let offset = 0; offset < bytes.length; offset += pieceBytes) {
    const piece = bytes.subarray(offset, offset + pieceBytes);
    await limit?.take(piece.length, { signal });
    if (request.destroyed) return;
    await request.write(piece);
  }
}

async function sendBody(
  request: Exchange,
  chunks: AsyncIterable<Uint8Array>,
  { hash, sizeBytes, limit, signal }: Pick<BlobPutOptions, "hash" | "sizeBytes"> & Pick<UploadContext, "limit" | "signal">,
): Promise<void> {
  let sentBytes = 0;
  try {
    for await (const chunk of chunks) {
      sentBytes += chunk.length;
      if (sentBytes > sizeBytes) throw wrongSize(hash, sizeBytes, "more");
      if (request.destroyed) return;
      await write(request, chunk, limit, signal);
    }
    if (sentBytes !== sizeBytes) throw wrongSize(hash, sizeBytes, String(sentBytes));
  } catch (error) {
    // The source failed: what was sent must not look complete.
    request.destroy(error instanceof Error ? error : undefined);
    throw error;
  }
  request.end();
}

function wrongSize(hash: Sha256, sizeBytes: number, actual: string): NexusError {
  return new NexusError("BLOB_CORRUPT", `Blob ${hash} was announced with ${sizeBytes} bytes, but has ${actual}.`, {
    details: { blob: hash, sizeBytes },
  });
}

function remember(interrupted: Set<string>, path: string): void {
  interrupted.delete(path);
  interrupted.add(path);
  for (const oldest of interrupted) {
    if (interrupted.size <= MAX_INTERRUPTED) break;
    interrupted.delete(oldest);
  }
}
