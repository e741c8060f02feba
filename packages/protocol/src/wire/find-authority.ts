/**
 * How a node that knows nothing but a fingerprint comes to trust a coordinator: the fingerprint, in the join token, is the SHA-256 of
 * the public key (SPKI) of the coordinator's CA, as RFC 7469 §2.4 pins keys.
 *
 * @module
 */
import { createHash, X509Certificate } from "node:crypto";
import https from "node:https";
import tls from "node:tls";
import { NexusError } from "@ciphernx/core/errors";
import { coordinatorAgent } from "./agents.ts";
import { proxyError } from "./proxy-errors.ts";
import { tlsError } from "./tls-errors.ts";

/** A coordinator, and what it is known by. */
export interface FindAuthorityOptions {
  /** `https://host:port`. */
  readonly url: string;
  /** SHA-256 of the CA's SPKI, base64url. */
  readonly fingerprint: string;
  /** As `connectTransport` has it. */
  readonly proxy?: string | undefined;
  /** Default 10,000. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Asks a server for its certificates and picks the CA's among them, PEM. Nothing is sent but the handshake. What this returns is a CA
 * with that key, whoever showed it: a connection that trusts it alone then proves that the server is certified by it.
 *
 * @throws SERVER_NOT_TRUSTED when none has that key, TLS_MISMATCH, COORDINATOR_UNREACHABLE, TIMEOUT
 */
export async function findAuthority({ url, fingerprint, proxy, timeoutMs = 10_000 }: FindAuthorityOptions): Promise<string> {
  const { origin } = new URL(url);
  const agent = coordinatorAgent(origin, {}, proxy);
  // Never ended, so that not even its head is sent: it only has the agent make a connection, through a proxy where there is one.
  const request = https.request(origin, { agent, rejectUnauthorized: false });
  try {
    const shown = await new Promise<readonly Uint8Array[]>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new NexusError("TIMEOUT", `The coordinator at ${origin} did not answer in ${timeoutMs / 1000} s.`)),
        timeoutMs,
      );
      request.once("close", () => clearTimeout(timer));
      request.once("error", reject);
      request.once("socket", (socket) => {
        if (!(socket instanceof tls.TLSSocket)) return reject(new NexusError("INTERNAL", "A connection over TLS came without it."));
        // Through a proxy the connection is there when it is handed over.
        const shownAlready = chainOf(socket);
        if (shownAlready.length > 0) resolve(shownAlready);
        else socket.once("secureConnect", () => resolve(chainOf(socket)));
      });
    });
    const found = shown.map((raw) => new X509Certificate(raw)).find((certificate) => certificate.ca && fingerprintOf(certificate) === fingerprint);
    if (found !== undefined) return found.toString();
  } catch (error) {
    if (error instanceof NexusError) throw error;
    const known = tlsError(error, origin) ?? proxyError(error, origin);
    if (known !== undefined) throw known;
    const errno = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw new NexusError("COORDINATOR_UNREACHABLE", `The coordinator at ${origin} does not answer (${errno}).`, {
      details: { target: origin, errno },
      cause: error,
    });
  } finally {
    request.on("error", () => {}); // what comes after the answer concerns nobody
    request.destroy();
    agent.destroy();
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
