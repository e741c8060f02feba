/** Blobs over plain HTTP/1.1. @module */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { BlobEndpoint } from "../blob-endpoint.ts";
import type { Fields } from "../exchange.ts";
import { answerBlob } from "./blob-answers.ts";
import type { WireLimits } from "./limits.ts";
import { signedBody } from "./signed-requests.ts";

/** Who sends a blob request, beside the bearer token. */
export interface BlobSender {
  /** The session that a browser showed, as a token. */
  readonly session: string | undefined;
  /** The node that signed it. */
  readonly signedBy: string | undefined;
}

/** Answers one blob request, or throws the error to answer it with. */
export async function serveBlob(
  endpoint: BlobEndpoint,
  limits: WireLimits,
  request: IncomingMessage,
  response: ServerResponse,
  { session, signedBy }: BlobSender,
): Promise<void> {
  const { socket } = request;
  const headers = request.headers as Fields;
  const body = bodyOf(request, limits.stallTimeoutMs);
  const {
    status,
    headers: fields,
    body: answer,
  } = await answerBlob(endpoint, limits, {
    ...{ method: request.method ?? "", path: request.url ?? "", headers, address: socket.remoteAddress, session },
    body: signedBy === undefined ? body : signedBody(body, headers),
    interrupt: () => socket.destroy(),
    ready: () => {
      if (headers["expect"] !== undefined) response.writeContinue();
    },
  });
  if (answer === undefined || typeof answer === "string") {
    const length = answer === undefined ? {} : { "content-length": Buffer.byteLength(answer) };
    response.writeHead(status, { ...fields, ...length }).end(answer);
    return;
  }
  const stall = setTimeout(() => socket.destroy(), limits.stallTimeoutMs);
  try {
    for await (const chunk of answer) {
      // Not before the first chunk: a store that cannot read the blob must still be able to say so.
      if (!response.headersSent) response.writeHead(status, fields);
      if (!response.write(chunk)) await drained(response);
      if (response.destroyed) return;
      stall.refresh();
    }
    if (!response.headersSent) response.writeHead(status, fields);
    response.end();
    await finished(response);
  } finally {
    clearTimeout(stall);
  }
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
