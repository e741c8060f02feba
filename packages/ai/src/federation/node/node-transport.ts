import type { Transport } from "@ciphernx/protocol/wire";
import { connectTransport, type ConnectTransportOptions } from "@ciphernx/protocol/wire/connect";

/** Ways in which a node talks to its coordinator: calls and blobs over HTTP, or all of it over one WebSocket. */
export const TRANSPORT_KINDS = ["connect", "websocket"] as const;
export type TransportKind = (typeof TRANSPORT_KINDS)[number];

/** How a node reaches its coordinator, beside the address. */
export interface WayToCoordinator {
  /** Default `connect`. */
  readonly transport?: TransportKind | undefined;
  /** An HTTP proxy on the way. Default: as `HTTPS_PROXY` and `NO_PROXY` say. */
  readonly proxy?: string | undefined;
}

/** Opens transports of a kind. */
export async function transportsOf(kind: TransportKind = "connect"): Promise<(options: ConnectTransportOptions) => Transport> {
  return kind === "connect" ? connectTransport : (await import("@ciphernx/protocol/wire/websocket")).webSocketTransport;
}
