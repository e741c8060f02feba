/**
 * The Transport over sockets: Connect protocol over HTTP/1.1 keep-alive for calls, plain HTTP for blobs. Node only.
 *
 * @module
 */
import http from "node:http";
import { createConnectTransport } from "@connectrpc/connect-node";
import { NexusError } from "@ciphernx/core/errors";
import { httpBlobChannel } from "./http-blob-channel.ts";
import { isLoopbackHost } from "./loopback.ts";
import { DEFAULT_TRIES } from "./patience.ts";
import { rpcChannel } from "./rpc-channel.ts";
import { tokenBucket } from "./token-bucket.ts";
import type { TokenSource, Transport } from "./transport.ts";
import { MAX_MESSAGE_BYTES } from "./limits.ts";

/** Options of {@link connectTransport}. */
export interface ConnectTransportOptions {
  /** Where the coordinator listens, for example `http://127.0.0.1:7700`. */
  readonly baseUrl: string;
  /** Bearer token; none when absent. */
  readonly token?: TokenSource | undefined;
  /** Milliseconds without a byte in either direction after which a blob transfer fails with TIMEOUT. Default 60,000. */
  readonly stallTimeoutMs?: number | undefined;
  /** Tries without progress after which an interrupted blob transfer is given up. Default 8, in about ten seconds. */
  readonly tries?: number | undefined;
  /** Bytes a second that all uploads take together at most, from 1,000 on. Default: no limit. */
  readonly uploadBytesPerSecond?: number | undefined;
}

/**
 * A Transport to a coordinator on this machine. Opens connections when they are needed and keeps them; proxy
 * variables of the environment are not looked at, since no proxy can reach a loopback address of ours.
 *
 * @throws USAGE when the address is no `http://` URL or the upload limit below 1 kB/s; ADDRESS_NOT_LOOPBACK when tokens would leave the machine unencrypted.
 */
export function connectTransport(options: ConnectTransportOptions): Transport {
  const { baseUrl, token = () => undefined, stallTimeoutMs = 60_000, tries = DEFAULT_TRIES, uploadBytesPerSecond } = options;
  const uploadLimit = uploadBytesPerSecond === undefined ? undefined : tokenBucket(uploadBytesPerSecond);
  const origin = coordinatorOrigin(baseUrl);
  // Agents of our own: the global one follows NODE_USE_ENV_PROXY, and bulk must not queue behind waiting calls.
  const calls = new http.Agent({ keepAlive: true });
  const bulk = new http.Agent({ keepAlive: true });
  const closing = new AbortController();
  return {
    kind: "connect",
    rpc: rpcChannel({
      inner: createConnectTransport({
        baseUrl: origin,
        httpVersion: "1.1",
        nodeOptions: { agent: calls },
        useBinaryFormat: true,
        acceptCompression: [],
        readMaxBytes: MAX_MESSAGE_BYTES,
        writeMaxBytes: MAX_MESSAGE_BYTES,
      }),
      token,
      target: origin,
      closed: closing.signal,
    }),
    blobs: httpBlobChannel({ origin, agent: bulk, token, stallTimeoutMs, closed: closing.signal, tries, uploadLimit }),
    close,
    [Symbol.asyncDispose]: close,
  };

  async function close(): Promise<void> {
    closing.abort(new NexusError("INTERRUPTED", `The connection to the coordinator at ${origin} was closed.`));
    calls.destroy();
    bulk.destroy();
  }
}

function coordinatorOrigin(baseUrl: string): string {
  const url = URL.parse(baseUrl);
  if (url === null || url.protocol !== "http:" || url.pathname !== "/" || url.search !== "" || url.username !== "") {
    throw new NexusError("USAGE", `"${baseUrl}" is not the address of a coordinator; one looks like http://127.0.0.1:7700.`);
  }
  if (!isLoopbackHost(url.hostname)) {
    throw new NexusError("ADDRESS_NOT_LOOPBACK", `${url.host} is not on this machine, and tokens do not travel unencrypted.`, {
      hint: "Use a tunnel such as `ssh -L 7700:127.0.0.1:7700 HOST` and http://127.0.0.1:7700.",
    });
  }
  return url.origin;
}
