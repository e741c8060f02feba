/**
 * The coordinator's one plain port: gRPC (h2c), gRPC-web, Connect and blobs; and the same over TLS for other machines.
 *
 * @module
 */
import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import type { Duplex } from "node:stream";
import { ConnectError, type ConnectRouter, type Interceptor } from "@connectrpc/connect";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import { NexusError } from "@ciphernx/core/errors";
import { bearerToken, peerValues } from "../bearer.ts";
import type { BlobEndpoint } from "../blob-endpoint.ts";
import { fromConnectError, toConnectError } from "../error-detail.ts";
import type { Fields } from "../exchange.ts";
import { MAX_MESSAGE_BYTES } from "../limits.ts";
import { brokenConnection } from "../rpc-channel.ts";
import { publicError, serverErrors } from "../server-errors.ts";
import type { RequestHeaders } from "../session-cookie.ts";
import { claimsSignature } from "../signatures/request-signature.ts";
import type { WireLog } from "../wire-log.ts";
import { isBlobPath } from "./blob-answers.ts";
import { serveBlob } from "./blob-routes.ts";
import { routeByFirstBytes } from "./first-bytes.ts";
import { httpAnswer } from "./http-errors.ts";
import { DEFAULT_LIMITS, type WireLimits } from "./limits.ts";
import { listenLoopback } from "./listen-loopback.ts";
import { listenTls, type TlsListener, type TlsListenOptions } from "./listen-tls.ts";
import { rawAnswer } from "./raw-answer.ts";
import { rpcCalls } from "./rpc-calls.ts";
import { assertSameOrigin } from "./same-origin.ts";
import { nothingAt, serveSignedCall } from "./signed-calls.ts";
import { type CheckSignature, signerKey, signerOf } from "./signed-requests.ts";
import { serveSite, type Site } from "./site-routes.ts";
import { peerOf, type TlsPeer, tlsPeerKey, type WireCall } from "./tls-peer.ts";
import { acceptWebSockets, asksForWebSocket } from "./websocket/accept.ts";

/** Options of {@link startWireServer}. */
export interface WireServerOptions {
  /** A loopback name or address; both 127.0.0.1 and ::1 are served whichever it is. Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Registers the services; their handlers learn who calls with `callerToken(context)`. */
  readonly routes: (router: ConnectRouter) => void;
  readonly blobs: BlobEndpoint;
  readonly log: WireLog;
  readonly limits?: Partial<WireLimits> | undefined;
  /** Serves other machines, too. */
  readonly tls?: TlsListenOptions | undefined;
  /** Asked before every call and every blob; throws what refuses it. Plain connections come from this machine. */
  readonly admit?: ((call: WireCall) => void) | undefined;
  /** Verifies signatures of requests. Absent: they count for nothing. */
  readonly checkSignature?: CheckSignature | undefined;
  /** Reads the session that a browser shows, as a token. @param socket the host that a WebSocket is meant for, where one is asked for */
  readonly session?: ((headers: RequestHeaders, isTls: boolean, socket?: string) => string | undefined) | undefined;
  /** Told of every call that was answered, whatever carried it. */
  readonly observe?: ((call: CallObservation) => void) | undefined;
  /** Pages, and what they ask beside RPCs. */
  readonly site?: Site | undefined;
}

/** A call that was answered. */
export interface CallObservation {
  /** `Service/Method`, without the package. */
  readonly method: string;
  /** Code of the error, `ok` without one. */
  readonly code: string;
  readonly seconds: number;
}

/** A server that listens. */
export interface WireServer extends AsyncDisposable {
  /** For clients on this machine, for example `http://127.0.0.1:7700`. */
  readonly url: string;
  readonly port: number;
  /** The listener for other machines, when there is one. */
  readonly tls?: TlsListener;
  /** Stops listening, ends waiting calls with COORDINATOR_UNREACHABLE, lets requests under way end, closes every connection. Idempotent. */
  close(): Promise<void>;
}

/** With the default window of 64 KiB a peer 50 ms away gets 1 MB/s. */
const HTTP2_WINDOW_BYTES = 16 * 1024 * 1024;
/** Megabytes, as node:http2 counts: both windows and the messages in flight of one connection. */
const HTTP2_SESSION_MEMORY_MB = 64;
/** Calls under way on one connection; a client with more opens another. */
const HTTP2_STREAMS = 1_000;
/** How long a refused sender may go on sending into the void before it is cut off, so that it sees the answer first. */
const LINGER_MS = 1_000;

/** Longest deadline that a caller may set: timers of Node hold no more, and take what is longer for none at all. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

type AnyRequest = http.IncomingMessage | http2.Http2ServerRequest;
type AnyResponse = http.ServerResponse | http2.Http2ServerResponse;

/**
 * Starts to listen.
 *
 * @throws ADDRESS_NOT_LOOPBACK, PORT_IN_USE, USAGE.
 */
export async function startWireServer(options: WireServerOptions): Promise<WireServer> {
  const { host = "127.0.0.1", port, routes, blobs, log, admit = () => {}, checkSignature, session = () => undefined, observe, site } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const shutdown = new AbortController();
  /** Blob and site requests whose handlers have not ended: staged bytes are theirs to discard. */
  const active = new Set<Promise<void>>();
  /** Who is at the other end of requests that came over TLS. */
  const peers = new WeakMap<object, TlsPeer>();

  const valuesOf = (address: string | undefined, peer: TlsPeer | undefined, shown?: string) => peerValues(address, shown).set(tlsPeerKey, peer);
  const rpc = {
    interceptors: [...(observe === undefined ? [] : [observation(observe)]), serverErrors(log), admission(admit)],
    acceptCompression: [],
    readMaxBytes: MAX_MESSAGE_BYTES,
    writeMaxBytes: MAX_MESSAGE_BYTES,
    maxTimeoutMs: MAX_TIMEOUT_MS,
  };
  const calls = rpcCalls(routes, rpc);
  const serveRpc = (request: AnyRequest, response: AnyResponse): void => {
    const handler = calls.handlers.get(request.url?.split("?", 1)[0] ?? "");
    if (handler === undefined) throw nothingAt(request.url ?? "");
    const peer = peers.get(request);
    const values = valuesOf(request.socket.remoteAddress, peer, session(request.headers, peer !== undefined));
    handler(universalRequestFromNodeRequest(request, response, undefined, values))
      .then((answered) => universalResponseToNodeResponse(answered, response))
      .catch((error: unknown) => {
        // What a handler throws is answered before it gets here: the answer did not go through.
        log.debug({ path: request.url, err: error }, "an answer could not be sent");
        response.destroy();
      });
  };

  const refuse = (error: unknown, request: AnyRequest, response: AnyResponse): void => {
    const errno = brokenConnection(error);
    if (errno !== undefined && (request.errored !== null || response.destroyed)) {
      log.debug({ method: request.method, path: request.url, errno }, "the peer vanished in the middle of a request");
      response.destroy();
      return;
    }
    const known = publicError(error, log, { method: request.method, path: request.url });
    if (response.headersSent || response.destroyed) {
      log.warn({ method: request.method, path: request.url, code: known.code }, `an answer was cut off: ${known.message}`);
      response.destroy();
      return;
    }
    answer(known, request, response);
  };

  /** Answers with what a handler throws, and lets closing wait for it. */
  const track = (handling: Promise<void>, request: AnyRequest, response: AnyResponse): void => {
    const handled = handling.catch((error: unknown) => refuse(error, request, response)).finally(() => active.delete(handled));
    active.add(handled);
  };

  const onRequest =
    (isTls: boolean) =>
    (request: AnyRequest, response: AnyResponse): void => {
      // A peer that vanishes is noticed where its request is read or answered.
      request.on("error", () => {});
      response.on("error", () => {});
      try {
        const authority = authorityOf(request);
        const peer = isTls ? peerOf(request.socket) : undefined;
        if (peer !== undefined) peers.set(request, peer);
        // A connection that broke in this moment tells no more: nothing of it may pass for one of this machine.
        else if (isTls) throw new NexusError("INTERRUPTED", "The connection has ended.");
        assertFewHeaders(request, limits.maxHeaders);
        assertSameOrigin(authority, request.headers.origin, { isTls });
        if (shutdown.signal.aborted) throw closingError();
        if (!isBlobPath(request.url ?? "")) {
          limitBody(request, response, limits.messageTimeoutMs);
          // A blob's sender waits for our word; a message is small enough to come at once.
          if (request.headers.expect !== undefined) response.writeContinue();
          if (site?.serves(request.url?.split("?", 1)[0] ?? "") !== true) {
            if (checkSignature === undefined || !claimsSignature(request.headers as Fields)) serveRpc(request, response);
            else track(serveSignedRpc(request, response, peer), request, response);
            return;
          }
          track(serveSite(site, isTls, request, response), request, response);
          return;
        }
        if (!(request instanceof http.IncomingMessage) || !(response instanceof http.ServerResponse)) {
          throw new NexusError("MESSAGE_INVALID", "Blobs travel over HTTP/1.1.");
        }
        track(serveAdmittedBlob(request, response, peer), request, response);
      } catch (error) {
        refuse(error, request, response);
      }
    };

  /** Of the Connect protocol alone: what WebSockets carry, and what is signed. */
  const connectCalls = rpcCalls(routes, { ...rpc, connect: true, grpc: false, grpcWeb: false });
  const { handlers } = connectCalls;
  const webSockets = acceptWebSockets({
    ...{ handlers, blobs, limits, log, admit, checkSignature },
    contextValues: ({ address, peer, session: shown }) => valuesOf(address, peer, shown),
  });

  const signer = (request: AnyRequest, isTls: boolean): Promise<string | undefined> => {
    const { method = "", url = "" } = request;
    return signerOf(checkSignature, { method, path: url, authority: authorityOf(request), headers: request.headers as Fields, isTls });
  };

  async function serveAdmittedBlob(request: http.IncomingMessage, response: http.ServerResponse, peer: TlsPeer | undefined): Promise<void> {
    const isTls = peer !== undefined;
    const signedBy = await signer(request, isTls);
    admit({ peer, path: request.url ?? "", token: bearerToken(request.headers.authorization), signedBy });
    await serveBlob(blobs, limits, request, response, { session: session(request.headers, isTls), signedBy });
  }

  async function serveSignedRpc(request: AnyRequest, response: AnyResponse, peer: TlsPeer | undefined): Promise<void> {
    const isTls = peer !== undefined;
    const values = valuesOf(request.socket.remoteAddress, peer, session(request.headers, isTls));
    await serveSignedCall(handlers, request, response, values.set(signerKey, await signer(request, isTls)));
  }
  const onUpgrade =
    (isTls: boolean) =>
    (request: http.IncomingMessage, socket: Duplex, head: Buffer): void =>
      webSockets.upgrade(request, socket, head, () => {
        const peer = isTls ? peerOf(request.socket) : undefined;
        if (isTls && peer === undefined) throw new NexusError("INTERRUPTED", "The connection has ended.");
        assertFewHeaders(request, limits.maxHeaders);
        const { host: authority, origin } = request.headers;
        assertSameOrigin(authority, origin, { isTls });
        if (shutdown.signal.aborted) throw closingError();
        return { address: request.socket.remoteAddress, peer, authority, session: session(request.headers, isTls, authority) };
      });

  // Servers of their own for either port: what comes over TLS is never taken for a call of this machine.
  const plain = makeFront(limits, onRequest(false), onUpgrade(false), log);
  const secured = makeFront(limits, onRequest(true), onUpgrade(true), log);
  const fronts = [plain, secured];
  const closeFronts = (): void => {
    for (const { http1 } of fronts) http1.close();
  };
  const route = (front: Front) => (socket: net.Socket) =>
    routeByFirstBytes(socket, front, { timeoutMs: limits.headersTimeoutMs, signal: shutdown.signal });
  const sockets = new Set<net.Socket>();
  const listeners = await listenLoopback({ host, port }, () => {
    const server = net.createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true });
    server.maxConnections = limits.maxConnections;
    server.on("connection", (socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      route(plain)(socket);
    });
    return server;
  }).catch((error: unknown) => {
    closeFronts();
    throw error;
  });
  const secure =
    options.tls === undefined
      ? undefined
      : await listenTls(options.tls, { limits, log, onConnection: route(secured) }).catch((error: unknown) => {
          for (const server of listeners.servers) server.close();
          closeFronts();
          throw error;
        });

  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= closeAll());

  async function closeAll(): Promise<void> {
    const servers = [...listeners.servers, ...(secure === undefined ? [] : [secure.server])];
    const stopped = Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
    shutdown.abort(closingError());
    for (const served of [calls, connectCalls]) served.end(toConnectError(closingError()));
    for (const { sessions } of fronts) for (const session of sessions) session.close();
    void webSockets.close();
    // Idle connections, and those that become idle until the grace is over.
    const closeIdle = (): void => {
      for (const { http1 } of fronts) http1.closeIdleConnections();
    };
    const sweep = setInterval(closeIdle, 20);
    closeIdle();
    const grace = setTimeout(() => {
      webSockets.terminate();
      for (const socket of sockets) socket.destroy();
      secure?.destroyAll();
    }, limits.closeGraceMs);
    await stopped;
    clearInterval(sweep);
    clearTimeout(grace);
    // Node ends its own watch over header timeouts here.
    closeFronts();
    await Promise.all(active);
  }

  return {
    ...{ url: `http://127.0.0.1:${listeners.port}`, port: listeners.port },
    ...(secure === undefined ? {} : { tls: secure }),
    ...{ close, [Symbol.asyncDispose]: close },
  };
}

/** Tells of calls when they have been answered. */
function observation(observe: (call: CallObservation) => void): Interceptor {
  return (next) => async (request) => {
    const startedAt = performance.now();
    const method = `${request.service.name}/${request.method.name}`;
    const tell = (code: string): void => observe({ method, code, seconds: (performance.now() - startedAt) / 1000 });
    try {
      const response = await next(request);
      tell("ok");
      return response;
    } catch (error) {
      tell(error instanceof ConnectError ? fromConnectError(error).code : "INTERNAL");
      throw error;
    }
  };
}

/** Lets calls in, or not, before their handlers. */
function admission(admit: (call: WireCall) => void): Interceptor {
  return (next) => (request) => {
    const { contextValues, service, method, header } = request;
    const [peer, signedBy] = [contextValues.get(tlsPeerKey), contextValues.get(signerKey)];
    admit({ peer, path: `/${service.typeName}/${method.name}`, token: bearerToken(header.get("authorization") ?? undefined), signedBy });
    return next(request);
  };
}

function authorityOf(request: AnyRequest): string | undefined {
  return "authority" in request ? request.authority : request.headers.host;
}

/** Node passes over the headers beyond a number of its own; whoever decides by headers needs all of them. */
function assertFewHeaders({ rawHeaders }: Pick<AnyRequest, "rawHeaders">, maxHeaders: number): void {
  if (rawHeaders.length > 2 * maxHeaders) throw new NexusError("MESSAGE_INVALID", `The request has more than ${maxHeaders} headers.`);
}

function closingError(): NexusError {
  return new NexusError("COORDINATOR_UNREACHABLE", "The coordinator is closing.", { hint: "Try again when it is back; `nexus up` starts it." });
}

/** The two servers behind one port; neither listens itself. */
interface Front {
  readonly http1: http.Server;
  readonly http2: http2.Http2Server;
  readonly sessions: ReadonlySet<http2.ServerHttp2Session>;
}

type OnUpgrade = (request: http.IncomingMessage, socket: Duplex, head: Buffer) => void;

function makeFront(limits: WireLimits, onRequest: (request: AnyRequest, response: AnyResponse) => void, onUpgrade: OnUpgrade, log: WireLog): Front {
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

/**
 * Cuts off a call (all of ours are unary) whose message does not arrive in time, or that goes on after it has been
 * answered. Waiting for the answer itself is not limited.
 */
function limitBody(request: AnyRequest, response: AnyResponse, timeoutMs: number): void {
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
function answer(error: NexusError, request: AnyRequest, response: AnyResponse): void {
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
