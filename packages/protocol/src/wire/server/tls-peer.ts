import { createContextKey } from "@connectrpc/connect";

/** Who is at the other end of a TLS connection. */
export interface TlsPeer {
  /**
   * The certificate (DER) that the peer proved to hold the key of, and that the listener's CAs issued for TLS clients; undefined when
   * it showed none. It was in time when the connection was made and may not be any more.
   */
  readonly certificate: Uint8Array | undefined;
  /** Why a certificate that was shown is not trusted: OpenSSL's name for it. */
  readonly distrusted: string | undefined;
}

/** A call, or a blob, that came over a socket. */
export interface WireCall {
  /** Undefined on a plain connection, which comes from this machine. */
  readonly peer: TlsPeer | undefined;
  /** `/service/Method` or `/blobs/…`. */
  readonly path: string;
  /** The bearer token that it came with. */
  readonly token: string | undefined;
  /** The node that signed it; undefined without a signature. */
  readonly signedBy: string | undefined;
}

const PEER = Symbol("TLS peer");

/** The peer as the services see it; undefined on plain connections. */
export const tlsPeerKey = createContextKey<TlsPeer | undefined>(undefined, { description: "TLS peer" });

/** Notes who is at the other end. A property, since HTTP/2 hands out proxies of its sockets. */
export function notePeer(socket: object, peer: TlsPeer): void {
  Object.defineProperty(socket, PEER, { value: peer });
}

/** Who is at the other end of a connection; undefined on plain ones. */
export function peerOf(socket: object): TlsPeer | undefined {
  return Reflect.get(socket, PEER) as TlsPeer | undefined;
}
