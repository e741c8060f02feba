/**
 * The coordinator's one plain port: gRPC (h2c), gRPC-web, Connect and blobs; and the same over TLS for other machines.
 *
 * @module
 */
import http from "node:http";
import net from "node:net";
import type { Duplex } from "node:stream";
import type { ConnectRouter } from "@connectrpc/connect";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import { NexusError } from "@ciphernx/core/errors";
import { bearerToken, peerValues } from "../bearer.ts";
import type { BlobEndpoint } from "../blob-endpoint.ts";
import { toConnectError } from "../error-detail.ts";
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
import { type AnyRequest, type AnyResponse, type Front, makeFront } from "./front.ts";
import { admission, type CallObservation, observation } from "./interceptors.ts";
import { DEFAULT_LIMITS, type WireLimits } from "./limits.ts";
import { listenLoopback } from "./listen-loopback.ts";
import { listenTls, type TlsListener, type TlsListenOptions } from "./listen-tls.ts";
import { rpcCalls } from "./rpc-calls.ts";
import { assertSameOrigin } from "./same-origin.ts";
import { messageCalls } from "./message-calls.ts";
import { nothingAt, serveSignedCall } from "./signed-calls.ts";
import { type CheckSignature, signerKey, signerOf } from "./signed-requests.ts";
import { serveSite, type Site } from "./site-routes.ts";
import { peerOf, type TlsPeer, tlsPeerKey, type WireCall } from "./tls-peer.ts";
import { answerError, limitBody } from "./unread-body.ts";
import { acceptWebSockets } from "./websocket/accept.ts";

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

/** Longest deadline that a caller may set: timers of Node hold no more, and take what is longer for none at all. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

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
    answerError(known, request, response);
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

  /** What WebSockets carry, and what is signed. */
  const messages = messageCalls(routes, rpc);
  const webSockets = acceptWebSockets({
    ...{ calls: messages, blobs, limits, log, admit, checkSignature },
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
    await serveSignedCall(messages, request, response, values.set(signerKey, await signer(request, isTls)));
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
    for (const served of [calls, messages]) served.end(toConnectError(closingError()));
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
