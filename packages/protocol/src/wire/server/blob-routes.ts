/**
 * Blobs over plain HTTP/1.1.
 *
 * ```
 * GET|HEAD /blobs/<sha256>            200, Content-Length, the bytes
 * GET      …, Range: bytes=<n>-       206, Content-Range, the bytes from the n-th on; 416 when there is none
 * PUT      /blobs/<sha256>?task=<id>  Content-Length required; 201 when acknowledged
 * HEAD     …?task=<id>&upload, Upload-Length: <bytes of the whole>
 *                                     204, Upload-Offset, Upload-Complete: how far the sender's upload came
 * PUT      …, Upload-Offset: <n>      Content-Length is that of the rest; 409 with Upload-Offset when the part here ends elsewhere
 * ```
 *
 * Ranges are those of RFC 9110 §14; other forms than `bytes=<n>-` are answered with the whole, as §14.2 allows. Uploads go by
 * "Resumable Uploads for HTTP" (draft-ietf-httpbis-resumable-upload), its fields and the meaning of its answers, as far
 * as that is simple. Unlike there, an upload needs no address of its own, since a blob has one: it goes on with PUT to the same
 * (the draft has PATCH), always up to its end (`Upload-Complete: ?1`), and nothing but HEAD tells of it before (no 104).
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { isSha256, type Sha256 } from "@ciphernx/core/blobs";
import { NexusError } from "@ciphernx/core/errors";
import { bearerToken } from "../bearer.ts";
import { type BlobEndpoint, receiveBlob, uploadProgress } from "../blob-endpoint.ts";
import { byteCount, rangeStart } from "../resumption-headers.ts";
import { httpAnswer } from "./http-errors.ts";
import type { WireLimits } from "./limits.ts";

const PREFIX = "/blobs/";

/** Whether a path belongs to the blob routes. */
export function isBlobPath(path: string): boolean {
  return path.startsWith(PREFIX);
}

/** Answers one blob request, or throws the error to answer it with. @param session that the browser showed, as a token */
export async function serveBlob(
  endpoint: BlobEndpoint,
  limits: WireLimits,
  request: IncomingMessage,
  response: ServerResponse,
  session?: string,
): Promise<void> {
  const [path = "", query] = (request.url ?? "").split("?", 2);
  const hash = path.slice(PREFIX.length);
  if (!isSha256(hash)) throw new NexusError("MESSAGE_INVALID", "A blob's address is /blobs/ and 64 lower-case hex digits.");
  const caller = bearerToken(request.headers.authorization) ?? session;
  const parameters = new URLSearchParams(query);
  const taskId = parameters.get("task") ?? undefined;
  switch (request.method) {
    case "HEAD":
      if (parameters.has("upload")) return tellProgress(endpoint, caller, hash, taskId, limits, request, response);
      return sendBlob(endpoint, caller, hash, limits, request, response);
    case "GET":
      return sendBlob(endpoint, caller, hash, limits, request, response);
    case "PUT":
      return receive(endpoint, caller, hash, taskId, limits, request, response);
    default:
      response.setHeader("allow", "GET, HEAD, PUT");
      throw new NexusError("MESSAGE_INVALID", `Blobs are fetched with GET and sent with PUT, not ${request.method}.`);
  }
}

async function sendBlob(
  endpoint: BlobEndpoint,
  caller: string | undefined,
  hash: Sha256,
  limits: WireLimits,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  await endpoint.authorizeGet(caller, hash, request.socket.remoteAddress);
  const sizeBytes = await endpoint.store.size(hash);
  if (sizeBytes === undefined) throw new NexusError("BLOB_NOT_FOUND", `There is no blob ${hash}.`, { details: { blob: hash } });
  const from = request.method === "GET" ? rangeStart(request.headers.range) : undefined;
  const offset = from ?? 0;
  if (from !== undefined && from >= sizeBytes) return refuseRange(hash, sizeBytes, response);
  const status = from === undefined ? 200 : 206;
  const headers = {
    "content-type": "application/octet-stream",
    "content-length": sizeBytes - offset,
    "accept-ranges": "bytes",
    etag: `"${hash}"`,
    "x-content-type-options": "nosniff",
    ...(from !== undefined && { "content-range": `bytes ${from}-${sizeBytes - 1}/${sizeBytes}` }),
  };
  if (request.method === "HEAD") {
    response.writeHead(200, headers).end();
    return;
  }
  const stall = setTimeout(() => request.socket.destroy(), limits.stallTimeoutMs);
  try {
    for await (const chunk of endpoint.store.stream(hash, offset)) {
      // Not before the first chunk: a store that cannot read the blob must still be able to say so.
      if (!response.headersSent) response.writeHead(status, headers);
      // The store uses the chunk's memory again, so it must have left before the next is asked for.
      if (!response.write(chunk)) await drained(response);
      if (response.destroyed) return;
      stall.refresh();
    }
    if (!response.headersSent) response.writeHead(status, headers);
    response.end();
    await finished(response);
  } finally {
    clearTimeout(stall);
  }
}

/** Answers a range that begins behind the last byte (RFC 9110 §15.5.17). */
function refuseRange(hash: Sha256, sizeBytes: number, response: ServerResponse): void {
  const { body } = httpAnswer(new NexusError("MESSAGE_INVALID", `Blob ${hash} has ${sizeBytes} bytes; the range begins behind them.`));
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body), "content-range": `bytes */${sizeBytes}` };
  response.writeHead(416, headers).end(body);
}

async function tellProgress(
  endpoint: BlobEndpoint,
  caller: string | undefined,
  hash: Sha256,
  taskId: string | undefined,
  limits: WireLimits,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const sizeBytes = byteCount(request.headers["upload-length"]);
  if (sizeBytes === undefined) throw new NexusError("MESSAGE_INVALID", "Who asks for an upload tells the size of its blob in Upload-Length.");
  assertSize(sizeBytes, limits);
  const { offsetBytes, complete } = await uploadProgress(endpoint, { caller, hash, sizeBytes, taskId }, request.socket.remoteAddress);
  const headers = {
    "upload-offset": offsetBytes,
    "upload-length": sizeBytes,
    "upload-complete": complete ? "?1" : "?0",
    "cache-control": "no-store",
  };
  response.writeHead(204, headers).end();
}

async function receive(
  endpoint: BlobEndpoint,
  caller: string | undefined,
  hash: Sha256,
  taskId: string | undefined,
  limits: WireLimits,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { headers, socket } = request;
  const announced = byteCount(headers["content-length"]);
  if (announced === undefined || headers["transfer-encoding"] !== undefined) {
    throw new NexusError("MESSAGE_INVALID", "An upload announces its size in Content-Length.");
  }
  const offsetBytes = headers["upload-offset"] === undefined ? 0 : byteCount(headers["upload-offset"]);
  if (offsetBytes === undefined) throw new NexusError("MESSAGE_INVALID", "Upload-Offset is the number of bytes that were sent before.");
  const sizeBytes = offsetBytes + announced;
  assertSize(sizeBytes, limits);
  if (headers["upload-length"] !== undefined && byteCount(headers["upload-length"]) !== sizeBytes) {
    throw new NexusError("MESSAGE_INVALID", `Upload-Length is not the ${sizeBytes} bytes that offset and rest make.`);
  }
  if ((headers["upload-complete"] ?? "?1") !== "?1") throw new NexusError("MESSAGE_INVALID", "An upload is sent to its end: Upload-Complete is ?1.");
  if (headers["content-encoding"] !== undefined) throw new NexusError("MESSAGE_INVALID", "Blobs travel without Content-Encoding.");
  await endpoint.authorizePut(caller, { hash, sizeBytes, taskId }, socket.remoteAddress);
  try {
    await receiveBlob(endpoint, { hash, sizeBytes, taskId, caller }, bodyOf(request, limits.stallTimeoutMs), {
      resumable: { offsetBytes, interrupt: () => socket.destroy() },
      ready: () => {
        if (headers.expect !== undefined) response.writeContinue();
      },
    });
  } catch (error) {
    const keptBytes = error instanceof NexusError && error.code === "UPLOAD_OFFSET_MISMATCH" ? error.details["keptBytes"] : undefined;
    if (typeof keptBytes === "number" && !response.headersSent) response.setHeader("upload-offset", keptBytes);
    throw error;
  }
  response.writeHead(201, { "content-length": 0 }).end();
}

function assertSize(sizeBytes: number, { maxBlobBytes }: WireLimits): void {
  if (sizeBytes <= maxBlobBytes) return;
  throw new NexusError("MESSAGE_INVALID", `A blob of ${sizeBytes} bytes is larger than the ${maxBlobBytes} this coordinator takes.`);
}

/**
 * A request's body, chunk by chunk. A sender that stalls is cut off. Leaving the loop early keeps the connection, over
 * which the sender is to be told why.
 */
async function* bodyOf(request: IncomingMessage, stallTimeoutMs: number): AsyncGenerator<Uint8Array> {
  const stall = setTimeout(() => request.socket.destroy(), stallTimeoutMs);
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
      stall.refresh();
      yield chunk;
      stall.refresh();
    }
  } finally {
    clearTimeout(stall);
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    // A reader that has gone tells so once; whoever asks later would wait for ever.
    if (response.destroyed) return resolve();
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.once("drain", done);
    response.once("close", done);
  });
}

function finished(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (response.writableFinished || response.destroyed) return resolve();
    response.once("finish", resolve);
    response.once("close", resolve);
  });
}
