/** The Transport over one WebSocket, in a browser's page or worker. @module */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { RequestSigner } from "../signatures/request-signer.ts";
import type { TokenSource, Transport } from "../transport.ts";
import { browserFrameSocket } from "./browser-socket.ts";
import { exchangeTransport } from "./exchange-transport.ts";

/** Options of {@link browserTransport}. */
export interface BrowserTransportOptions {
  /** Where the page comes from: `location.origin`. A coordinator talks to pages of its own origin alone. */
  readonly origin: string;
  readonly token?: TokenSource | undefined;
  /** Signs each exchange of a node: a page can show no client certificate. */
  readonly signer?: RequestSigner | undefined;
}

/** A Transport to the coordinator whose page this is. */
export function browserTransport({ origin, token, signer }: BrowserTransportOptions): Transport {
  return exchangeTransport({ origin, token, signer, open: browserFrameSocket(origin), newHash });
}

function newHash() {
  const hash = sha256.create();
  return { update: (bytes: Uint8Array) => hash.update(bytes), digest: () => bytesToHex(hash.digest()) };
}
