/** Calls over HTTP that are signed: by the Connect protocol, whose messages can be compared with what was signed before a handler sees them. @module */
import http from "node:http";
import type http2 from "node:http2";
import type { ContextValues } from "@connectrpc/connect";
import type { UniversalHandlerFn } from "@connectrpc/connect/protocol";
import { NexusError } from "@ciphernx/core/errors";
import type { Fields } from "../exchange.ts";
import { connectionError } from "../websocket/frame-socket.ts";
import { once, wholeBody } from "../whole-body.ts";
import { signedBody } from "./signed-requests.ts";

/** Answers one call, or throws the error to answer it with. @param values context of the call, its signer included */
export async function serveSignedCall(
  handlers: ReadonlyMap<string, UniversalHandlerFn>,
  request: http.IncomingMessage | http2.Http2ServerRequest,
  response: http.ServerResponse | http2.Http2ServerResponse,
  values: ContextValues,
): Promise<void> {
  const { url: path = "", method = "", headers, httpVersion } = request;
  const handler = handlers.get(path);
  if (handler === undefined) throw nothingAt(path);
  const gone = new AbortController();
  const onGone = (): void => gone.abort(connectionError("The caller has gone."));
  if (response.destroyed) onGone();
  else response.once("close", onGone);
  // Leaving the loop early keeps the connection, over which the sender is to be told why.
  const message = await wholeBody(signedBody(request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>, headers as Fields));
  const header = new Headers();
  for (const [name, value] of Object.entries(headers as Fields)) if (value !== undefined && !name.startsWith(":")) header.set(name, value);
  const url = `http://coordinator${path}`;
  const answered = await handler({ httpVersion, url, method, header, body: once(message), signal: gone.signal, contextValues: values });
  const bytes = await wholeBody(answered.body);
  const told = { ...Object.fromEntries(answered.header ?? []), "content-length": bytes.length };
  // The two kinds of answer have the same methods, in types that TypeScript does not see as one.
  if (response instanceof http.ServerResponse) response.writeHead(answered.status, told).end(bytes);
  else response.writeHead(answered.status, told).end(bytes);
}

/** The error for a path that leads nowhere. */
export function nothingAt(path: string): NexusError {
  return new NexusError("MESSAGE_INVALID", `There is nothing at ${path.slice(0, 200)}.`, { details: { path: path.slice(0, 200) } });
}
