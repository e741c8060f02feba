/**
 * The Transport over sockets: Connect protocol over HTTP/1.1 keep-alive for calls, plain HTTP for blobs. Node only.
 *
 * @module
 */
import http from "node:http";
import https from "node:https";
import { createConnectTransport } from "@connectrpc/connect-node";
import { NexusError } from "@ciphernx/core/errors";
import { httpBlobChannel } from "./http-blob-channel.ts";
import { isLoopbackHost } from "./loopback.ts";
import { DEFAULT_TRIES } from "./patience.ts";
import { rpcChannel } from "./rpc-channel.ts";
import { tokenBucket } from "./token-bucket.ts";
import type { TokenSource, Transport } from "./transport.ts";
import { MAX_MESSAGE_BYTES } from "./limits.ts";

export { findAuthority, type FindAuthorityOptions } from "./find-authority.ts";

/** Whom a client trusts, and what it shows; PEM. TLS is 1.3, and the server's name is checked. */
export interface TlsClientCredentials {
  /** CAs of the server. Default: those of the system. */
  readonly ca?: string | undefined;
  /** The client's certificate, when it has one. */
  readonly cert?: string | undefined;
  /** The key of `cert`. */
  readonly key?: string | undefined;
}

/** Options of {@link connectTransport}. */
export interface ConnectTransportOptions {
  /** Where the coordinator listens, for example `http://127.0.0.1:7700`; `https://` for one on another machine. */
  readonly baseUrl: string;
  /** For `https://`. */
  readonly tls?: TlsClientCredentials | undefined;
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
 * A Transport to a coordinator: on this machine in plain, on others over TLS. Opens connections when they are needed and keeps them;
 * proxy variables of the environment are not looked at, since no proxy can reach a loopback address of ours.
 *
 * @throws USAGE when the address is no `http://` or `https://` URL, or the upload limit below 1 kB/s; ADDRESS_NOT_LOOPBACK when tokens
 * would leave the machine unencrypted.
 */
export function connectTransport(options: ConnectTransportOptions): Transport {
  const { baseUrl, tls = {}, token = () => undefined, stallTimeoutMs = 60_000, tries = DEFAULT_TRIES, uploadBytesPerSecond } = options;
  const uploadLimit = uploadBytesPerSecond === undefined ? undefined : tokenBucket(uploadBytesPerSecond);
  const origin = coordinatorOrigin(baseUrl);
  // Agents of our own: the global one follows NODE_USE_ENV_PROXY, and bulk must not queue behind waiting calls.
  const agent = (): http.Agent =>
    origin.startsWith("https:")
      ? new https.Agent({ keepAlive: true, minVersion: "TLSv1.3", allowPartialTrustChain: true, ...givenOf(tls) })
      : new http.Agent({ keepAlive: true });
  const [calls, bulk] = [agent(), agent()];
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

/** What was given: an undefined `ca` would stand for no CA at all. */
function givenOf({ ca, cert, key }: TlsClientCredentials): https.AgentOptions {
  return { ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
}

function coordinatorOrigin(baseUrl: string): string {
  const url = URL.parse(baseUrl);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:") || url.pathname !== "/" || url.search !== "" || url.username !== "") {
    throw new NexusError("USAGE", `"${baseUrl}" is not the address of a coordinator; one looks like http://127.0.0.1:7700.`);
  }
  if (url.protocol === "http:" && !isLoopbackHost(url.hostname)) {
    throw new NexusError("ADDRESS_NOT_LOOPBACK", `${url.host} is not on this machine, and tokens do not travel unencrypted.`, {
      hint: "Use https:// and the port of `nexus up --listen`, or a tunnel such as `ssh -L 7700:127.0.0.1:7700 HOST` and http://127.0.0.1:7700.",
    });
  }
  return url.origin;
}
