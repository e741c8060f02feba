/**
 * The Transport over one WebSocket: for nodes that a firewall lets out through nothing else. The same calls and blobs as over HTTP.
 *
 * @module
 */
import { coordinatorAgent, coordinatorOrigin } from "../agents.ts";
import type { ConnectTransportOptions } from "../connect.ts";
import { nodeHash } from "../node-hash.ts";
import type { Transport } from "../transport.ts";
import { exchangeTransport } from "./exchange-transport.ts";
import { nodeFrameSocket } from "./node-socket.ts";

/** Options of {@link webSocketTransport}. */
export interface WebSocketTransportOptions extends ConnectTransportOptions {
  /** Milliseconds without anything from the coordinator after which the connection is broken. Default 45,000. */
  readonly silenceMs?: number | undefined;
}

/**
 * A Transport to a coordinator over one WebSocket, opened when it is needed and anew when it broke.
 *
 * @throws USAGE, ADDRESS_NOT_LOOPBACK as `connectTransport` does
 */
export function webSocketTransport({ baseUrl, tls = {}, proxy, ...options }: WebSocketTransportOptions): Transport {
  const origin = coordinatorOrigin(baseUrl);
  const agent = coordinatorAgent(origin, tls, proxy);
  return exchangeTransport({ ...options, origin, open: nodeFrameSocket({ origin, agent }), newHash: nodeHash, closed: () => agent.destroy() });
}
