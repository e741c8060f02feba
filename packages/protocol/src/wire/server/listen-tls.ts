/**
 * The listener for other machines: TLS 1.3 (RFC 8446) and nothing older. Clients are asked for a certificate; what they may do
 * without one is decided call by call, so that a node without one yet, or people, can connect.
 *
 * @module
 */
import net from "node:net";
import tls from "node:tls";
import { NexusError } from "@ciphernx/core/errors";
import type { WireLog } from "../wire-log.ts";
import { createConnectionGate } from "./connection-gate.ts";
import type { WireLimits } from "./limits.ts";
import { listen, portOf } from "./listen-loopback.ts";
import { rawAnswer } from "./raw-answer.ts";
import { notePeer, peerOf, type TlsPeer } from "./tls-peer.ts";

/** What a TLS server shows, and whom it trusts; PEM. */
export interface TlsServerCredentials {
  readonly key: string;
  /** The server's certificate, then what leads to its CA. */
  readonly cert: string;
  /** CAs of the clients. */
  readonly ca: string;
}

/** Where TLS is served. */
export interface TlsListenOptions {
  /** Any address of the machine; `0.0.0.0` for all, `::` for those of IPv6 as well. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly credentials: TlsServerCredentials;
}

/** A TLS listener. */
export interface TlsListener {
  readonly port: number;
  /** What is shown to those who connect from now on; connections that are open stay. */
  setCredentials(credentials: TlsServerCredentials): void;
  /** Ends the connections of peers. */
  endConnections(whose: (peer: TlsPeer) => boolean): void;
}

/** ContentType handshake, RFC 8446 §5.1: the first byte of every ClientHello. */
const HANDSHAKE = 0x16;

/** @throws PORT_IN_USE, USAGE */
export async function listenTls(
  { host, port, credentials }: TlsListenOptions,
  { limits, log, onConnection }: { readonly limits: WireLimits; readonly log: WireLog; onConnection(socket: tls.TLSSocket): void },
): Promise<TlsListener & { readonly server: net.Server; destroyAll(): void }> {
  const secure = tls.createServer({ ...contextOf(credentials), ...TALK, handshakeTimeout: limits.headersTimeoutMs });
  const raw = new Set<net.Socket>();
  const open = new Set<tls.TLSSocket>();
  secure.on("secureConnection", (socket) => {
    const shown = socket.getPeerX509Certificate();
    const distrusted = shown === undefined || socket.authorized ? undefined : String(socket.authorizationError);
    notePeer(socket, { certificate: distrusted === undefined ? shown?.raw : undefined, distrusted });
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    onConnection(socket);
  });
  secure.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    log.debug({ errno: error.code }, `a TLS connection did not come about: ${error.message}`);
    socket.destroy();
  });

  const gate = createConnectionGate({
    maxConnections: limits.maxConnectionsPerAddress,
    perSecond: limits.handshakesPerAddressPerSecond,
    burst: limits.handshakeBurstPerAddress,
  });
  const server = net.createServer({ noDelay: true, keepAlive: true }, (socket) => {
    const address = socket.remoteAddress;
    // One that has ended already has no address.
    const leave = address === undefined ? undefined : gate.enter(address);
    if (leave === undefined) {
      log.debug({ address }, "a connection was refused: its address has too many");
      socket.on("error", () => {}).destroy();
      return;
    }
    raw.add(socket);
    socket.once("close", () => {
      raw.delete(socket);
      leave();
    });
    socket.on("error", () => socket.destroy());
    socket.setTimeout(limits.headersTimeoutMs, () => socket.destroy());
    socket.once("data", (first) => {
      socket.setTimeout(0);
      if (first[0] !== HANDSHAKE) return sayTls(socket);
      socket.pause();
      socket.unshift(first);
      secure.emit("connection", socket);
    });
  });
  server.maxConnections = limits.maxConnections;
  await listen(server, host, port, { ipv6Only: false });

  return {
    port: portOf(server),
    server,
    setCredentials: (next) => secure.setSecureContext(contextOf(next)),
    endConnections(whose) {
      for (const socket of open) if (whose(peerOf(socket)!)) socket.destroy();
    },
    destroyAll() {
      for (const socket of open) socket.destroy();
      for (const socket of raw) socket.destroy();
    },
  };
}

/** How long a peer that speaks plainly may go on before it is cut off. */
const LINGER_MS = 1_000;

const TALK = { ALPNProtocols: ["h2", "http/1.1"], requestCert: true, rejectUnauthorized: false };

function contextOf({ key, cert, ca }: TlsServerCredentials): tls.SecureContextOptions {
  // An operator's CA may be an intermediate one: it is the anchor then.
  return { key, cert, ca, minVersion: "TLSv1.3", allowPartialTrustChain: true };
}

/** Tells a peer that speaks plainly, in the language of most of them. */
function sayTls(socket: net.Socket): void {
  socket.end(rawAnswer(new NexusError("TLS_MISMATCH", "This port of the coordinator speaks TLS: use https://.")));
  // What is still coming is read into the void for a moment: a socket that is closed over unread bytes takes the answer with it.
  socket.resume();
  setTimeout(() => socket.destroy(), LINGER_MS);
}
