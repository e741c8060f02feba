import { PING_INTERVAL_MS } from "../websocket/frames.ts";

/** Bounds on what one peer can cost the server. */
export interface WireLimits {
  /** Largest blob that an upload may announce, whatever the endpoint would allow. Default 4 GiB. */
  readonly maxBlobBytes: number;
  /** Request line and headers together. Default 16 KiB, Node's own. */
  readonly maxHeaderBytes: number;
  /** Headers of a request. Default 100. */
  readonly maxHeaders: number;
  /** Open connections of a listener; further ones are closed at once. Default 10,000. */
  readonly maxConnections: number;
  /**
   * Open connections of one address (IPv6: one /64) to the TLS listener. Default 2,000: more than six hundred nodes behind one address, with
   * a call that waits, another and a blob each, and no address takes more than a fifth of all.
   */
  readonly maxConnectionsPerAddress: number;
  /**
   * New TLS connections of one address at once and a second from then on; further ones are closed before the handshake. Default 1,000, so that
   * hundreds of nodes behind one address come back together after a restart, and 100, which is a tenth of a core.
   */
  readonly handshakeBurstPerAddress: number;
  readonly handshakesPerAddressPerSecond: number;
  /** Time for a new connection's first bytes and for a request's headers. Default 10 s. */
  readonly headersTimeoutMs: number;
  /** Time for the whole body of a call (not its answer, which may be long in coming). Default 30 s. */
  readonly messageTimeoutMs: number;
  /** Time without progress after which a blob transfer is given up; one that moves may take as long as it likes. Default 30 s. */
  readonly stallTimeoutMs: number;
  /** Time that a connection may stay idle between two requests. Default 65 s. */
  readonly keepAliveTimeoutMs: number;
  /** How often the peer of a WebSocket is asked whether it is there; one that says nothing for more than two of them is cut off. Default 20 s. */
  readonly pingIntervalMs: number;
  /** What `close` gives requests under way to end. Default 2 s. */
  readonly closeGraceMs: number;
}

export const DEFAULT_LIMITS: WireLimits = {
  maxBlobBytes: 4 * 1024 ** 3,
  maxHeaderBytes: 16 * 1024,
  maxHeaders: 100,
  maxConnections: 10_000,
  maxConnectionsPerAddress: 2_000,
  handshakeBurstPerAddress: 1_000,
  handshakesPerAddressPerSecond: 100,
  headersTimeoutMs: 10_000,
  messageTimeoutMs: 30_000,
  stallTimeoutMs: 30_000,
  keepAliveTimeoutMs: 65_000,
  pingIntervalMs: PING_INTERVAL_MS,
  closeGraceMs: 2_000,
};
