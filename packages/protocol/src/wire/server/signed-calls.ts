/** Calls over HTTP that are signed: by the Connect protocol, whose messages can be compared with what was signed before a handler sees them. @module */
import http from "node:http";
import type http2 from "node:http2";
import type { ContextValues } from "@connectrpc/connect";
import { NexusError } from "@ciphernx/core/errors";
import type { Fields } from "../exchange.ts";
import { connectionError } from "../websocket/frame-socket.ts";
import type { MessageCalls } from "./message-calls.ts";
import { signedBody } from "./signed-requests.ts";

/** Answers one call, or throws the error to answer it with. @param values context of the call, its signer included */
export async function serveSignedCall(
  calls: MessageCalls,
  request: http.IncomingMessage | http2.Http2ServerRequest,
  response: http.ServerResponse | http2.Http2ServerResponse,
  values: ContextValues,
): Promise<void> {
  const { url: path = "", method = "" } = request;
  const headers = request.headers as Fields;
  const handle = calls.at(path);
  if (handle === undefined) throw nothingAt(path);
  const aborting = new AbortController();
  const onGone = (): void => aborting.abort(connectionError("The caller has gone."));
  if (response.destroyed) onGone();
  else response.once("close", onGone);
  // Leaving the loop early keeps the connection, over which the sender is to be told why.
  const body = signedBody(request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>, headers);
  const answer = await handle({ method, headers, body, aborting, values });
  const told = { ...answer.headers, "content-length": answer.body.length };
  // The two kinds of answer have the same methods, in types that TypeScript does not see as one.
  if (response instanceof http.ServerResponse) response.writeHead(answer.status, told).end(answer.body);
  else response.writeHead(answer.status, told).end(answer.body);
}

/** The error for a path that leads nowhere. */
export function nothingAt(path: string): NexusError {
  return new NexusError("MESSAGE_INVALID", `There is nothing at ${path.slice(0, 200)}.`, { details: { path: path.slice(0, 200) } });
}
