/** The HTTP/1.1 and HTTP/2 servers that share a port, with their bounds. @module */
import http from "node:http";
import http2 from "node:http2";
import type { Duplex } from "node:stream";
import { NexusError } from "@ciphernx/core/errors";
import type { WireLog } from "../wire-log.ts";
import type { WireLimits } from "./limits.ts";
import { rawAnswer } from "./raw-answer.ts";
import { asksForWebSocket } from "./websocket/accept.ts";

/** With the default window of 64 KiB a peer 50 ms away gets 1 MB/s. */
const HTTP2_WINDOW_BYTES = 16 * 1024 * 1024;
/** Megabytes, as node:http2 counts: both windows and the messages in flight of one connection. */
const HTTP2_SESSION_MEMORY_MB = 64;
/** Calls under way on one connection; a client with more opens another. */
const HTTP2_STREAMS = 1_000;
/** A request of either version of HTTP, and its answer. */
export type AnyRequest = http.IncomingMessage | http2.Http2ServerRequest;
export type AnyResponse = http.ServerResponse | http2.Http2ServerResponse;

/** The two servers behind one port; neither listens itself. */
export interface Front {
  readonly http1: http.Server;
  readonly http2: http2.Http2Server;
  readonly sessions: ReadonlySet<http2.ServerHttp2Session>;
}

export type OnUpgrade = (request: http.IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Makes both servers. */
export function makeFront(
  limits: WireLimits,
  onRequest: (request: AnyRequest, response: AnyResponse) => void,
  onUpgrade: OnUpgrade,
  log: WireLog,
): Front {
  const { server, sessions } = makeHttp2(limits, onRequest, log);
  const http1 = makeHttp1(limits, onRequest, log);
  http1.on("upgrade", onUpgrade);
  return { http1, http2: server, sessions };
}

function makeHttp1(limits: WireLimits, onRequest: (request: http.IncomingMessage, response: http.ServerResponse) => void, log: WireLog): http.Server {
  const server = http.createServer({
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    // Uploads take as long as they move; each kind of request has its own limit instead.
    requestTimeout: 0,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(1_000, limits.headersTimeoutMs),
    noDelay: true,
    shouldUpgradeCallback: asksForWebSocket,
  });
  server.maxHeadersCount = 0; // all that fit into their size: they are counted before anything is done
  server.on("request", onRequest);
  // The blob route answers `100 Continue` itself, once it knows that it wants the bytes.
  server.on("checkContinue", onRequest);
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    log.debug({ errno: error.code }, `a connection spoke no HTTP: ${error.message}`);
    const status = error.code === "HPE_HEADER_OVERFLOW" ? 431 : error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
    if (error.code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
      return;
    }
    const message =
      status === 431 ? "The headers are too large." : status === 408 ? "The headers did not arrive in time." : "That is no HTTP request.";
    socket.end(rawAnswer(new NexusError("MESSAGE_INVALID", message), status), () => socket.destroy());
  });
  // This server is handed its connections and never listens itself; Node arms its header timeouts and idle tracking on this event.
  server.emit("listening");
  return server;
}

function makeHttp2(
  limits: WireLimits,
  onRequest: (request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) => void,
  log: WireLog,
): { server: http2.Http2Server; sessions: ReadonlySet<http2.ServerHttp2Session> } {
  const sessions = new Set<http2.ServerHttp2Session>();
  const server = http2.createServer({
    settings: {
      initialWindowSize: HTTP2_WINDOW_BYTES,
      maxHeaderListSize: limits.maxHeaderBytes,
      maxConcurrentStreams: HTTP2_STREAMS,
      enablePush: false,
    },
    maxSessionMemory: HTTP2_SESSION_MEMORY_MB,
  });
  server.on("session", (session) => {
    sessions.add(session);
    let openStreams = 0;
    session.setLocalWindowSize(HTTP2_WINDOW_BYTES);
    // A waiting call keeps its connection; one without calls goes the way of idle HTTP/1 connections, whatever else is said on it: pings,
    // or headers that never end, buy no time.
    const end = (): void => {
      session.close();
      idle = setTimeout(() => session.destroy(), limits.closeGraceMs);
    };
    let idle = setTimeout(end, limits.keepAliveTimeoutMs);
    session.on("stream", (stream) => {
      openStreams += 1;
      clearTimeout(idle);
      stream.once("close", () => {
        openStreams -= 1;
        if (openStreams === 0 && !session.destroyed) idle = setTimeout(end, limits.keepAliveTimeoutMs);
      });
    });
    session.once("close", () => {
      clearTimeout(idle);
      sessions.delete(session);
    });
  });
  server.on("sessionError", (error: Error) =>
    log.debug({ errno: "code" in error ? error.code : undefined }, `an HTTP/2 connection failed: ${error.message}`),
  );
  server.on("request", onRequest);
  return { server, sessions };
}
