import { NexusError } from "@ciphernx/core/errors";
import { blobChannel } from "../blob-channel.ts";
import { DEFAULT_TRIES } from "../patience.ts";
import { rpcChannel } from "../rpc-channel.ts";
import { tokenBucket } from "../token-bucket.ts";
import type { RequestSigner } from "../signatures/request-signer.ts";
import type { TokenSource, Transport } from "../transport.ts";
import type { StreamHash } from "../verified-blob.ts";
import { clientConnection } from "./client-connection.ts";
import type { OpenFrameSocket } from "./frame-socket.ts";
import { exchangeRpc } from "./rpc-client.ts";

/** What a Transport over a WebSocket needs, wherever it runs. */
export interface ExchangeTransportOptions {
  /** Of the coordinator, for messages. */
  readonly origin: string;
  readonly open: OpenFrameSocket;
  readonly newHash: () => StreamHash;
  readonly token?: TokenSource | undefined;
  /** Signs each exchange; undefined where the connection shows who opens it. */
  readonly signer?: RequestSigner | undefined;
  readonly stallTimeoutMs?: number | undefined;
  readonly tries?: number | undefined;
  readonly uploadBytesPerSecond?: number | undefined;
  /** Milliseconds without a frame after which the connection is broken. Default 45,000. */
  readonly silenceMs?: number | undefined;
  /** Called when the transport is closed. */
  readonly closed?: () => void;
}

/** A Transport whose calls and blobs are exchanges over one WebSocket. */
export function exchangeTransport(options: ExchangeTransportOptions): Transport {
  const { origin, open, newHash, token = () => undefined, signer, stallTimeoutMs = 60_000, tries = DEFAULT_TRIES } = options;
  const { uploadBytesPerSecond, silenceMs } = options;
  const uploadLimit = uploadBytesPerSecond === undefined ? undefined : tokenBucket(uploadBytesPerSecond);
  const closing = new AbortController();
  // Calls bring their token with them; blobs are given it here.
  const connection = clientConnection({ open, origin, token, signer, stallTimeoutMs, silenceMs });
  return {
    kind: "websocket",
    rpc: rpcChannel({
      inner: exchangeRpc(connection.exchange),
      token,
      target: origin,
      closed: closing.signal,
    }),
    blobs: blobChannel({ open: connection.exchange, origin, newHash, closed: closing.signal, tries, uploadLimit }),
    close,
    [Symbol.asyncDispose]: close,
  };

  async function close(): Promise<void> {
    closing.abort(new NexusError("INTERRUPTED", `The connection to the coordinator at ${origin} was closed.`));
    connection.close();
    options.closed?.();
  }
}
