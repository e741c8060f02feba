/**
 * How a node that knows nothing but a fingerprint comes to trust a coordinator: the fingerprint, in the join token, is the SHA-256 of
 * the public key (SPKI) of the coordinator's CA, as RFC 7469 §2.4 pins keys.
 *
 * @module
 */
import { createHash, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import tls from "node:tls";
import { NexusError } from "@ciphernx/core/errors";
import { tlsError } from "./tls-errors.ts";

/** A coordinator, and what it is known by. */
export interface FindAuthorityOptions {
  /** `https://host:port`. */
  readonly url: string;
  /** SHA-256 of the CA's SPKI, base64url. */
  readonly fingerprint: string;
  /** Default 10,000. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Asks a server for its certificates and picks the CA's among them, PEM. Nothing is sent but the handshake. What this returns is a CA
 * with that key, whoever showed it: a connection that trusts it alone then proves that the server is certified by it.
 *
 * @throws SERVER_NOT_TRUSTED when none has that key, TLS_MISMATCH, COORDINATOR_UNREACHABLE, TIMEOUT
 */
export async function findAuthority({ url, fingerprint, timeoutMs = 10_000 }: FindAuthorityOptions): Promise<string> {
  const { hostname, port, origin } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const socket = tls.connect({
    ...{ host, port: port === "" ? 443 : Number(port), minVersion: "TLSv1.3" },
    ...(isIP(host) === 0 ? { servername: host } : {}),
    rejectUnauthorized: false,
  });
  try {
    const shown = await new Promise<readonly Uint8Array[]>((resolve, reject) => {
      socket.setTimeout(timeoutMs, () => reject(new NexusError("TIMEOUT", `The coordinator at ${origin} did not answer in ${timeoutMs / 1000} s.`)));
      socket.once("error", reject);
      socket.once("secureConnect", () => resolve(chainOf(socket)));
    });
    const found = shown.map((raw) => new X509Certificate(raw)).find((certificate) => certificate.ca && fingerprintOf(certificate) === fingerprint);
    if (found !== undefined) return found.toString();
  } catch (error) {
    if (error instanceof NexusError) throw error;
    const known = tlsError(error, origin);
    if (known !== undefined) throw known;
    const errno = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw new NexusError("COORDINATOR_UNREACHABLE", `The coordinator at ${origin} does not answer (${errno}).`, {
      details: { target: origin, errno },
      cause: error,
    });
  } finally {
    socket.on("error", () => {}); // what comes after the answer concerns nobody
    socket.destroy();
  }
  throw new NexusError("SERVER_NOT_TRUSTED", `The server at ${origin} is not of the CA that the join token names; the token was not sent to it.`, {
    hint: "Ask for a new token if the coordinator's CA was replaced. Otherwise somebody answers in its place: do not join over this network.",
    details: { target: origin, reason: "FINGERPRINT" },
  });
}

/** The certificates that the server sent, as far as they lead on from its own. */
function chainOf(socket: tls.TLSSocket): readonly Uint8Array[] {
  const chain: Uint8Array[] = [];
  for (
    let next: Partial<tls.DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true);
    next?.raw !== undefined;
    next = next.issuerCertificate
  ) {
    const { raw } = next;
    if (chain.some((known) => Buffer.compare(known, raw) === 0)) break; // the last one names itself
    chain.push(raw);
  }
  return chain;
}

function fingerprintOf(certificate: X509Certificate): string {
  return createHash("sha256")
    .update(certificate.publicKey.export({ type: "spki", format: "der" }))
    .digest("base64url");
}
