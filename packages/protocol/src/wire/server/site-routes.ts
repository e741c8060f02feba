/**
 * Pages and what they ask beside RPCs: requests and answers in the forms of the Fetch standard, on either version of HTTP.
 *
 * @module
 */
import http from "node:http";
import type http2 from "node:http2";
import { NexusError } from "@ciphernx/core/errors";

/** Largest body of such a request. */
const MAX_BODY_BYTES = 64 * 1024;
/** Headers that HTTP/2 has none of (RFC 9113 §8.2.2), or that Node writes itself. */
const HOP = new Set(["connection", "keep-alive", "transfer-encoding"]);

/** What the port serves beside RPCs and blobs. */
export interface Site {
  /** Whether a path, without its query, belongs to the site. */
  serves(path: string): boolean;
  /** Answers a request; what it throws is told as a NexusError. */
  serve(request: SiteRequest): Promise<Response>;
}

/** A request to the site, its body read. */
export interface SiteRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  /** Address that the connection came from. */
  readonly address: string;
  readonly isTls: boolean;
}

/** Answers one request, or throws the error to answer it with. */
export async function serveSite(
  site: Site,
  isTls: boolean,
  request: http.IncomingMessage | http2.Http2ServerRequest,
  response: http.ServerResponse | http2.Http2ServerResponse,
): Promise<void> {
  const { method = "GET", url = "/", headers } = request;
  const address = request.socket.remoteAddress ?? "";
  const answer = await site.serve({ method, target: url, headers, body: await textOf(request), address, isTls });
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const told: Record<string, string | string[]> = {};
  for (const [name, value] of answer.headers) if (!HOP.has(name) && name !== "set-cookie") told[name] = value;
  const cookies = answer.headers.getSetCookie();
  if (cookies.length > 0) told["set-cookie"] = cookies;
  told["content-length"] = String(bytes.length);
  const sent: Uint8Array | string = method === "HEAD" ? "" : bytes;
  // The two kinds of answer have the same methods, in types that TypeScript does not see as one.
  if (response instanceof http.ServerResponse) response.writeHead(answer.status, told).end(sent);
  else response.writeHead(answer.status, told).end(sent);
}

async function textOf(request: http.IncomingMessage | http2.Http2ServerRequest): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_BODY_BYTES) throw new NexusError("MESSAGE_INVALID", `The body of the request is larger than ${MAX_BODY_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
