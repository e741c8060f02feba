import { NexusError } from "@ciphernx/core/errors";

/** Why a server's certificate is not to be trusted, by OpenSSL's and Node's names; the hint is the catalogue's where there is none. */
const DISTRUST: Readonly<Record<string, { readonly why: string; readonly hint?: string }>> = {
  CERT_HAS_EXPIRED: {
    why: "its certificate has expired",
    hint: "Check the clock of this machine; a coordinator that runs renews its certificate itself.",
  },
  CERT_NOT_YET_VALID: { why: "its certificate is not valid yet", hint: "Check the clock of this machine and of the coordinator's." },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    why: "its certificate is for another name or address",
    hint: "Use the name that `nexus up --public-name` was given, or start it with the one that you use.",
  },
  DEPTH_ZERO_SELF_SIGNED_CERT: { why: "its certificate is signed by itself" },
  SELF_SIGNED_CERT_IN_CHAIN: { why: "its certificate is of a CA that is not known here" },
  UNABLE_TO_GET_ISSUER_CERT: { why: "its certificate is of a CA that is not known here" },
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: { why: "its certificate is of a CA that is not known here" },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: { why: "its certificate is of a CA that is not known here" },
  CERT_SIGNATURE_FAILURE: { why: "its certificate is not signed by the CA that it names" },
  CERT_UNTRUSTED: { why: "its certificate is of a CA that is not trusted here" },
  INVALID_CA: { why: "its certificate was issued by what is no CA" },
  INVALID_PURPOSE: { why: "its certificate is not one for servers" },
};

/** What comes of speaking TLS to what speaks none, or none that we do. */
const MISMATCH: ReadonlySet<string> = new Set([
  "EPROTO",
  "ERR_SSL_HTTP_REQUEST",
  "ERR_SSL_NO_PROTOCOLS_AVAILABLE",
  "ERR_SSL_PACKET_LENGTH_TOO_LONG",
  "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
  "ERR_SSL_UNSUPPORTED_PROTOCOL",
  "ERR_SSL_WRONG_VERSION_NUMBER",
]);

/** The `NexusError` for a TLS connection that did not come about, found along the causes; undefined for other errors. */
export function tlsError(error: unknown, target: string): NexusError | undefined {
  const seen = new Set<unknown>();
  for (let current = error; current instanceof Error && !seen.has(current); current = current.cause) {
    seen.add(current);
    if (!("code" in current) || typeof current.code !== "string") continue;
    const { code } = current;
    const distrust = Object.hasOwn(DISTRUST, code) ? DISTRUST[code] : undefined;
    if (distrust !== undefined) {
      const hint = distrust.hint === undefined ? {} : { hint: distrust.hint };
      return new NexusError("SERVER_NOT_TRUSTED", `The coordinator at ${target} is not trusted: ${distrust.why}.`, {
        ...hint,
        details: { target, reason: code },
        cause: error,
      });
    }
    if (MISMATCH.has(code)) {
      return new NexusError("TLS_MISMATCH", `What answers at ${target} speaks no TLS 1.3.`, { details: { target, reason: code }, cause: error });
    }
  }
  return undefined;
}
