/** Requests whose bodies have not been read: in time, or not at all, since the request is refused. @module */
import http from "node:http";
import http2 from "node:http2";
import type { NexusError } from "@ciphernx/core/errors";
import type { AnyRequest, AnyResponse } from "./front.ts";
import { httpAnswer } from "./http-errors.ts";

/** How long a refused sender may go on sending into the void before it is cut off, so that it sees the answer first. */
const LINGER_MS = 1_000;

/**
 * Cuts off a call (all of ours are unary) whose message does not arrive in time, or that goes on after it has been
 * answered. Waiting for the answer itself is not limited.
 */
export function limitBody(request: AnyRequest, response: AnyResponse, timeoutMs: number): void {
  // Taken now: both are gone from a request that is over.
  const { socket } = request;
  const stream = "stream" in request ? request.stream : undefined;
  const cut = () => (stream === undefined ? socket.destroy() : stream.close(http2.constants.NGHTTP2_CANCEL));
  let timer = setTimeout(cut, timeoutMs);
  const stop = () => clearTimeout(timer);
  request.once("end", stop);
  response.once("close", () => {
    stop();
    if (!request.complete) timer = setTimeout(cut, LINGER_MS);
  });
}

/** Answers with an error. A sender whose body has not all arrived gets the answer first and is cut off a moment later. */
export function answerError(error: NexusError, request: AnyRequest, response: AnyResponse): void {
  const { status, body, headers: more } = httpAnswer(error);
  const headers = { ...more, "content-type": "application/json", "content-length": Buffer.byteLength(body), "x-content-type-options": "nosniff" };
  const isHead = request.method === "HEAD";
  if (!(response instanceof http.ServerResponse)) {
    response.writeHead(status, headers);
    response.end(isHead ? "" : body);
    return;
  }
  if (request.complete) {
    response.writeHead(status, headers).end(isHead ? undefined : body);
    return;
  }
  response.writeHead(status, { ...headers, connection: "close" });
  if (isHead) response.flushHeaders();
  else response.write(body);
  const end = () => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  request.once("end", end);
  response.once("close", end);
  request.resume();
}
