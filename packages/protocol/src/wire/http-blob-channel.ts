/**
 * Blobs over plain HTTP/1.1: `GET /blobs/<sha256>` and `PUT /blobs/<sha256>?task=<id>`.
 *
 * @module
 */
import http from "node:http";
import type { Sha256 } from "@ciphernx/core/blobs";
import { NexusError } from "@ciphernx/core/errors";
import { isJsonObject, nexusErrorOf } from "./error-detail.ts";
import { ASK_BEFORE_BYTES } from "./limits.ts";
import { callError, linkSignals } from "./rpc-channel.ts";
import type { BlobChannel, BlobGetOptions, BlobGetWholeOptions, BlobPutOptions, TokenSource } from "./transport.ts";
import { collectBlob, expectBlobSize, verifiedBlob } from "./verified-blob.ts";

/** RFC 9110 §10.1.1: a client that asked does not wait for ever, since old intermediaries never answer. */
const CONTINUE_WAIT_MS = 1_000;
const MAX_ERROR_BODY_BYTES = 64 * 1024;

interface HttpBlobChannelOptions {
  readonly origin: string;
  readonly agent: http.Agent;
  readonly token: TokenSource;
  readonly stallTimeoutMs: number;
  readonly closed: AbortSignal;
}

/** A blob channel to a coordinator's HTTP port. */
export function httpBlobChannel({ origin, agent, token, stallTimeoutMs, closed }: HttpBlobChannelOptions): BlobChannel {
  const open = (method: string, path: string, headers: http.OutgoingHttpHeaders, signal: AbortSignal): http.ClientRequest => {
    const bearer = token();
    const request = http.request(`${origin}${path}`, {
      method,
      agent,
      signal,
      headers: { ...headers, ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }) },
    });
    request.setTimeout(stallTimeoutMs, () =>
      request.destroy(new NexusError("TIMEOUT", `The coordinator at ${origin} moved no byte of ${path} for ${stallTimeoutMs / 1000} s.`)),
    );
    // Whoever awaits the response or the body hears of it; this only keeps a late error from ending the process.
    request.on("error", () => {});
    return request;
  };

  const fetched = async (hash: Sha256, expectedSizeBytes: number | undefined, signal: AbortSignal) => {
    const request = open("GET", `/blobs/${hash}`, {}, signal);
    request.end();
    const response = await responseOf(request);
    if (response.statusCode !== 200) throw await refusal(response, origin);
    const sizeBytes = Number(response.headers["content-length"]);
    try {
      if (!Number.isSafeInteger(sizeBytes)) throw foreignAnswer(origin, 200);
      expectBlobSize(hash, expectedSizeBytes, sizeBytes);
    } catch (error) {
      response.destroy();
      throw error;
    }
    return { sizeBytes, chunks: response as AsyncIterable<Uint8Array> };
  };

  return {
    async get(hash: Sha256, { expectedSizeBytes, memory, signal }: BlobGetWholeOptions = {}) {
      const call = linkSignals(signal, closed);
      try {
        const { sizeBytes, chunks } = await fetched(hash, expectedSizeBytes, call.signal);
        return await collectBlob(hash, sizeBytes, chunks, memory);
      } catch (error) {
        throw callError(error, call.signal, origin);
      } finally {
        call.unlink();
      }
    },

    async *stream(hash: Sha256, { expectedSizeBytes, signal }: BlobGetOptions = {}) {
      const call = linkSignals(signal, closed);
      try {
        const { sizeBytes, chunks } = await fetched(hash, expectedSizeBytes, call.signal);
        yield* verifiedBlob(hash, sizeBytes, chunks);
      } catch (error) {
        throw callError(error, call.signal, origin);
      } finally {
        call.unlink();
      }
    },

    async put(bytes, { hash, sizeBytes, taskId, signal }: BlobPutOptions) {
      const call = linkSignals(signal, closed);
      try {
        call.signal.throwIfAborted();
        const asks = sizeBytes >= ASK_BEFORE_BYTES;
        const request = open(
          "PUT",
          `/blobs/${hash}${taskId === undefined ? "" : `?task=${encodeURIComponent(taskId)}`}`,
          { "content-length": sizeBytes, "content-type": "application/octet-stream", ...(asks && { expect: "100-continue" }) },
          call.signal,
        );
        const response = responseOf(request);
        // An answer before the body has gone is a refusal, and ends the sending.
        const refused = asks && !(await mayContinue(request, response));
        const sending = refused ? Promise.resolve() : sendBody(request, bytes, sizeBytes, hash);
        const answer = await Promise.race([response, sending.then(() => response)]);
        if (answer.statusCode !== 201) {
          const error = await refusal(answer, origin);
          request.destroy();
          throw error;
        }
        answer.resume();
        await sending;
      } catch (error) {
        throw callError(error, call.signal, origin);
      } finally {
        call.unlink();
      }
    },
  };
}

function responseOf(request: http.ClientRequest): Promise<http.IncomingMessage> {
  const response = new Promise<http.IncomingMessage>((resolve, reject) => {
    request.once("response", resolve);
    request.once("error", reject);
  });
  // It may be looked at later than it fails.
  response.catch(() => {});
  return response;
}

/** Whether the body may go: the coordinator said so or is silent for a second, and has not answered already. */
async function mayContinue(request: http.ClientRequest, response: Promise<unknown>): Promise<boolean> {
  const go = Promise.withResolvers<boolean>();
  request.once("continue", () => go.resolve(true));
  const timer = setTimeout(() => go.resolve(true), CONTINUE_WAIT_MS);
  request.flushHeaders();
  try {
    return await Promise.race([go.promise, response.then(() => false)]);
  } finally {
    clearTimeout(timer);
  }
}

async function sendBody(request: http.ClientRequest, bytes: Uint8Array | AsyncIterable<Uint8Array>, sizeBytes: number, hash: Sha256): Promise<void> {
  let sentBytes = 0;
  const wrongSize = (actual: string) => {
    const error = new NexusError("BLOB_CORRUPT", `Blob ${hash} was announced with ${sizeBytes} bytes, but has ${actual}.`, {
      details: { blob: hash, sizeBytes },
    });
    request.destroy(error);
    return error;
  };
  if (bytes instanceof Uint8Array) {
    if (bytes.length !== sizeBytes) throw wrongSize(String(bytes.length));
    request.end(bytes);
    return;
  }
  try {
    for await (const chunk of bytes) {
      sentBytes += chunk.length;
      if (sentBytes > sizeBytes) throw wrongSize("more");
      if (request.destroyed) return;
      if (!request.write(chunk)) await drained(request);
    }
  } catch (error) {
    // The source failed: what was sent must not look complete.
    request.destroy(error instanceof Error ? error : undefined);
    throw error;
  }
  if (sentBytes !== sizeBytes) throw wrongSize(String(sentBytes));
  request.end();
}

/** Waits until the request takes more, or is over. */
function drained(request: http.ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      request.off("drain", done);
      request.off("close", done);
      resolve();
    };
    request.once("drain", done);
    request.once("close", done);
  });
}

/** The error that a refusing response carries as JSON; a plain one when whoever answered is not a coordinator. */
async function refusal(response: http.IncomingMessage, origin: string): Promise<NexusError> {
  const status = response.statusCode ?? 0;
  let text = "";
  response.setEncoding("utf8");
  for await (const chunk of response as AsyncIterable<string>) {
    text += chunk;
    if (text.length > MAX_ERROR_BODY_BYTES) return foreignAnswer(origin, status);
  }
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return foreignAnswer(origin, status);
  }
  const error = isJsonObject(body) ? body["error"] : undefined;
  if (!isJsonObject(error) || typeof error["code"] !== "string" || typeof error["message"] !== "string") return foreignAnswer(origin, status);
  return nexusErrorOf({ ...error, code: error["code"], message: error["message"] }, "INTERNAL");
}

function foreignAnswer(origin: string, status: number): NexusError {
  return new NexusError("COORDINATOR_UNREACHABLE", `What answers at ${origin} is not a coordinator (HTTP status ${status}).`, {
    details: { origin, status },
  });
}
