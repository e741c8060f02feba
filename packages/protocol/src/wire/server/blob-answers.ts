/**
 * What is answered to requests for blobs, whatever carries them: HTTP/1.1 (`blob-routes.ts`) or a WebSocket.
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
import { isSha256, type Sha256 } from "@ciphernx/core/blobs";
import { NexusError } from "@ciphernx/core/errors";
import { bearerToken } from "../bearer.ts";
import { type BlobEndpoint, receiveBlob, uploadProgress } from "../blob-endpoint.ts";
import type { Fields } from "../exchange.ts";
import { byteCount, rangeStart } from "../resumption-headers.ts";
import { httpAnswer } from "./http-errors.ts";
import type { WireLimits } from "./limits.ts";

const PREFIX = "/blobs/";

/** Whether a path belongs to the blob routes. */
export function isBlobPath(path: string): boolean {
  return path.startsWith(PREFIX);
}

/** A request for a blob, or with one. */
export interface BlobRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Fields;
  /** Where the connection comes from. */
  readonly address: string | undefined;
  /** The session that a browser showed, as a token; counts where there is no bearer token. */
  readonly session?: string | undefined;
  /** To be iterated at most once; the sender is cut off when it stalls. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the connection that the body comes over, so that its iteration fails. */
  interrupt(): void;
  /** Called when nothing but the body is missing any more. */
  ready?(): void;
}

/** An answer; the chunks of its body use their memory again, so each has to leave before the next is asked for. */
export interface BlobAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body?: AsyncIterable<Uint8Array> | string;
}

/** A request whose address has been read. */
interface Asked {
  readonly endpoint: BlobEndpoint;
  readonly limits: WireLimits;
  readonly request: BlobRequest;
  readonly caller: string | undefined;
  readonly hash: Sha256;
  readonly taskId: string | undefined;
}

/** Answers one blob request, or throws the error to answer it with. */
export async function answerBlob(endpoint: BlobEndpoint, limits: WireLimits, request: BlobRequest): Promise<BlobAnswer> {
  const [path = "", query] = request.path.split("?", 2);
  const hash = path.slice(PREFIX.length);
  if (!isSha256(hash)) throw new NexusError("MESSAGE_INVALID", "A blob's address is /blobs/ and 64 lower-case hex digits.");
  const parameters = new URLSearchParams(query);
  const caller = bearerToken(request.headers["authorization"]) ?? request.session;
  const asked: Asked = { endpoint, limits, request, caller, hash, taskId: parameters.get("task") ?? undefined };
  switch (request.method) {
    case "HEAD":
      return parameters.has("upload") ? tellProgress(asked) : sendBlob(asked);
    case "GET":
      return sendBlob(asked);
    case "PUT":
      return receive(asked);
    default:
      throw new NexusError("MESSAGE_INVALID", `Blobs are fetched with GET and sent with PUT, not ${request.method}.`, {
        details: { allow: "GET, HEAD, PUT" },
      });
  }
}

async function sendBlob({ endpoint, request, caller, hash }: Asked): Promise<BlobAnswer> {
  await endpoint.authorizeGet(caller, hash, request.address);
  const sizeBytes = await endpoint.store.size(hash);
  if (sizeBytes === undefined) throw new NexusError("BLOB_NOT_FOUND", `There is no blob ${hash}.`, { details: { blob: hash } });
  const from = request.method === "GET" ? rangeStart(request.headers["range"]) : undefined;
  const offset = from ?? 0;
  if (from !== undefined && from >= sizeBytes) return refuseRange(hash, sizeBytes);
  const headers = {
    "content-type": "application/octet-stream",
    "content-length": sizeBytes - offset,
    "accept-ranges": "bytes",
    etag: `"${hash}"`,
    "x-content-type-options": "nosniff",
    ...(from !== undefined && { "content-range": `bytes ${from}-${sizeBytes - 1}/${sizeBytes}` }),
  };
  if (request.method === "HEAD") return { status: 200, headers };
  return { status: from === undefined ? 200 : 206, headers, body: endpoint.store.stream(hash, offset) };
}

/** Answers a range that begins behind the last byte (RFC 9110 §15.5.17). */
function refuseRange(hash: Sha256, sizeBytes: number): BlobAnswer {
  const { body } = httpAnswer(new NexusError("MESSAGE_INVALID", `Blob ${hash} has ${sizeBytes} bytes; the range begins behind them.`));
  return { status: 416, headers: { "content-type": "application/json", "content-range": `bytes */${sizeBytes}` }, body };
}

async function tellProgress({ endpoint, limits, request, caller, hash, taskId }: Asked): Promise<BlobAnswer> {
  const sizeBytes = byteCount(request.headers["upload-length"]);
  if (sizeBytes === undefined) throw new NexusError("MESSAGE_INVALID", "Who asks for an upload tells the size of its blob in Upload-Length.");
  assertSize(sizeBytes, limits);
  const { offsetBytes, complete } = await uploadProgress(endpoint, { caller, hash, sizeBytes, taskId }, request.address);
  return {
    status: 204,
    headers: {
      "upload-offset": offsetBytes,
      "upload-length": sizeBytes,
      "upload-complete": complete ? "?1" : "?0",
      "cache-control": "no-store",
    },
  };
}

async function receive({ endpoint, limits, request, caller, hash, taskId }: Asked): Promise<BlobAnswer> {
  const { headers } = request;
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
  await endpoint.authorizePut(caller, { hash, sizeBytes, taskId }, request.address);
  await receiveBlob(endpoint, { hash, sizeBytes, taskId, caller }, request.body, {
    resumable: { offsetBytes, interrupt: () => request.interrupt() },
    ready: () => request.ready?.(),
  });
  return { status: 201, headers: { "content-length": 0 } };
}

function assertSize(sizeBytes: number, { maxBlobBytes }: WireLimits): void {
  if (sizeBytes <= maxBlobBytes) return;
  throw new NexusError("MESSAGE_INVALID", `A blob of ${sizeBytes} bytes is larger than the ${maxBlobBytes} this coordinator takes.`);
}
