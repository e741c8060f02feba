/**
 * Blobs over plain HTTP/1.1.
 *
 * ```
 * GET|HEAD /blobs/<sha256>            200, Content-Length, the bytes
 * PUT      /blobs/<sha256>?task=<id>  Content-Length required; 201 when acknowledged
 * ```
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { isSha256, type Sha256 } from "@ciphernx/core/blobs";
import { NexusError } from "@ciphernx/core/errors";
import { bearerToken } from "../bearer.ts";
import { type BlobEndpoint, receiveBlob } from "../blob-endpoint.ts";
import type { WireLimits } from "./limits.ts";

const PREFIX = "/blobs/";

/** Whether a path belongs to the blob routes. */
export function isBlobPath(path: string): boolean {
  return path.startsWith(PREFIX);
}

/** Answers one blob request, or throws the error to answer it with. */
export async function serveBlob(endpoint: BlobEndpoint, limits: WireLimits, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [path = "", query] = (request.url ?? "").split("?", 2);
  const hash = path.slice(PREFIX.length);
  if (!isSha256(hash)) throw new NexusError("MESSAGE_INVALID", "A blob's address is /blobs/ and 64 lower-case hex digits.");
  const caller = bearerToken(request.headers.authorization);
  switch (request.method) {
    case "GET":
    case "HEAD":
      return sendBlob(endpoint, caller, hash, limits, request, response);
    case "PUT":
      return receive(endpoint, caller, hash, new URLSearchParams(query).get("task") ?? undefined, limits, request, response);
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
  await endpoint.authorizeGet(caller, hash);
  const sizeBytes = await endpoint.store.size(hash);
  if (sizeBytes === undefined) throw new NexusError("BLOB_NOT_FOUND", `There is no blob ${hash}.`, { details: { blob: hash } });
  const headers = { "content-type": "application/octet-stream", "content-length": sizeBytes, etag: `"${hash}"`, "x-content-type-options": "nosniff" };
  if (request.method === "HEAD") {
    response.writeHead(200, headers).end();
    return;
  }
  const stall = setTimeout(() => request.socket.destroy(), limits.stallTimeoutMs);
  try {
    for await (const chunk of endpoint.store.stream(hash)) {
      // Not before the first chunk: a store that cannot read the blob must still be able to say so.
      if (!response.headersSent) response.writeHead(200, headers);
      // The store uses the chunk's memory again, so it must have left before the next is asked for.
      if (!response.write(chunk)) await drained(response);
      if (response.destroyed) return;
      stall.refresh();
    }
    if (!response.headersSent) response.writeHead(200, headers);
    response.end();
    await finished(response);
  } finally {
    clearTimeout(stall);
  }
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
  const announced = request.headers["content-length"];
  const sizeBytes = Number(announced);
  if (announced === undefined || request.headers["transfer-encoding"] !== undefined || !Number.isSafeInteger(sizeBytes)) {
    throw new NexusError("MESSAGE_INVALID", "An upload announces its size in Content-Length.");
  }
  if (sizeBytes > limits.maxBlobBytes) {
    throw new NexusError("MESSAGE_INVALID", `A blob of ${sizeBytes} bytes is larger than the ${limits.maxBlobBytes} this coordinator takes.`);
  }
  if (request.headers["content-encoding"] !== undefined) throw new NexusError("MESSAGE_INVALID", "Blobs travel without Content-Encoding.");
  await endpoint.authorizePut(caller, { hash, sizeBytes, taskId });
  if (request.headers.expect !== undefined) response.writeContinue();
  await receiveBlob(endpoint, { hash, sizeBytes, taskId, caller }, bodyOf(request, limits.stallTimeoutMs));
  response.writeHead(201, { "content-length": 0 }).end();
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
