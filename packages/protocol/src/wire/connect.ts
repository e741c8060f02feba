/**
 * The Transport over sockets: Connect protocol over HTTP/1.1 keep-alive for calls, plain HTTP for blobs. Node only.
 *
 * @module
 */
import { createTransport } from "@connectrpc/connect/protocol-connect";
import { createConnectTransport, createNodeHttpClient } from "@connectrpc/connect-node";
import { NexusError } from "@ciphernx/core/errors";
import { coordinatorAgent, coordinatorOrigin, type TlsClientCredentials } from "./agents.ts";
import { blobChannel } from "./blob-channel.ts";
import { httpExchanges } from "./http-exchange.ts";
import { nodeHash } from "./node-hash.ts";
import { DEFAULT_TRIES } from "./patience.ts";
import { rpcChannel } from "./rpc-channel.ts";
import type { RequestSigner } from "./signatures/request-signer.ts";
import { signingHttpClient } from "./signatures/signing-http-client.ts";
import { tokenBucket } from "./token-bucket.ts";
import type { TokenSource, Transport } from "./transport.ts";
import { MAX_MESSAGE_BYTES } from "./limits.ts";

export { findAuthority, type FindAuthorityOptions } from "./find-authority.ts";

export type { TlsClientCredentials };

/** Options of {@link connectTransport}. */
export interface ConnectTransportOptions {
  /** Where the coordinator listens, for example `http://127.0.0.1:7700`; `https://` for one on another machine. */
  readonly baseUrl: string;
  /** For `https://`. */
  readonly tls?: TlsClientCredentials | undefined;
  /** An HTTP proxy on the way to `https://`, for example `http://proxy.example:3128`. Default: as `HTTPS_PROXY` and `NO_PROXY` say. */
  readonly proxy?: string | undefined;
  /** Bearer token; none when absent. */
  readonly token?: TokenSource | undefined;
  /** Signs each request of a node that joined to do so; others show their certificate. */
  readonly signer?: RequestSigner | undefined;
  /** Milliseconds without a byte in either direction after which a blob transfer fails with TIMEOUT. Default 60,000. */
  readonly stallTimeoutMs?: number | undefined;
  /** Tries without progress after which an interrupted blob transfer is given up. Default 8, in about ten seconds. */
  readonly tries?: number | undefined;
  /** Bytes a second that all uploads take together at most, from 1,000 on. Default: no limit. */
  readonly uploadBytesPerSecond?: number | undefined;
}

/**
 * A Transport to a coordinator: on this machine in plain, on others over TLS. Opens connections when they are needed and keeps them.
 *
 * @throws USAGE when the address is no `http://` or `https://` URL, or the upload limit below 1 kB/s; ADDRESS_NOT_LOOPBACK when tokens
 * would leave the machine unencrypted.
 */
export function connectTransport(options: ConnectTransportOptions): Transport {
  const { baseUrl, tls = {}, proxy, token = () => undefined, signer, stallTimeoutMs = 60_000, tries = DEFAULT_TRIES, uploadBytesPerSecond } = options;
  const uploadLimit = uploadBytesPerSecond === undefined ? undefined : tokenBucket(uploadBytesPerSecond);
  const origin = coordinatorOrigin(baseUrl);
  // Bulk must not queue behind waiting calls.
  const [calls, bulk] = [coordinatorAgent(origin, tls, proxy), coordinatorAgent(origin, tls, proxy)];
  const closing = new AbortController();
  const messages = {
    baseUrl: origin,
    useBinaryFormat: true,
    acceptCompression: [],
    readMaxBytes: MAX_MESSAGE_BYTES,
    writeMaxBytes: MAX_MESSAGE_BYTES,
  };
  const http = { httpVersion: "1.1", nodeOptions: { agent: calls } } as const;
  return {
    kind: "connect",
    rpc: rpcChannel({
      inner:
        signer === undefined
          ? createConnectTransport({ ...messages, ...http })
          : createTransport({
              ...messages,
              httpClient: signingHttpClient(createNodeHttpClient(http), signer),
              ...{ interceptors: [], sendCompression: null, compressMinBytes: 1024 },
            }),
      token,
      target: origin,
      closed: closing.signal,
    }),
    blobs: blobChannel({
      open: httpExchanges({ origin, agent: bulk, token, stallTimeoutMs, signer }),
      ...{ origin, newHash: nodeHash, closed: closing.signal, tries, uploadLimit },
    }),
    close,
    [Symbol.asyncDispose]: close,
  };

  async function close(): Promise<void> {
    closing.abort(new NexusError("INTERRUPTED", `The connection to the coordinator at ${origin} was closed.`));
    calls.destroy();
    bulk.destroy();
  }
}
