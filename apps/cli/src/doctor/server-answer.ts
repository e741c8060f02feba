import type { X509Certificate } from "node:crypto";
import http from "node:http";
import https from "node:https";
import type { TLSSocket } from "node:tls";

const ANSWER_TIMEOUT_MS = 5_000;

/** What a server tells of itself by any answer. */
export interface ServerAnswer {
  /** Its `Date` (RFC 9110, 6.6.1), if it tells one. */
  readonly date: string | undefined;
  /** What it showed and what was verified; undefined without TLS. */
  readonly certificate: X509Certificate | undefined;
}

/**
 * Asks a server for nothing in particular, over TLS with `ca` (PEM; undefined: the CAs of the system).
 * @throws Error with the code of the system, OpenSSL or Node that says why it gave no answer
 */
export async function askServer(
  url: string,
  { ca, signal }: { readonly ca?: string | undefined; readonly signal: AbortSignal },
): Promise<ServerAnswer> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
  const isTls = url.startsWith("https:");
  return new Promise((resolve, reject) => {
    const options = { method: "HEAD", agent: false, signal: within, ...(isTls && ca !== undefined ? { ca } : {}) } as const;
    const request = (isTls ? https : http).request(url, options, (response) => {
      response.resume();
      const certificate = isTls ? (response.socket as TLSSocket).getPeerX509Certificate() : undefined;
      resolve({ date: response.headers.date, certificate });
    });
    request.once("error", reject);
    request.end();
  });
}
