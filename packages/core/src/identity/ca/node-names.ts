/**
 * What a node's certificate says of it: two URIs in the subject alternative name.
 *
 * ```
 * spiffe://<trust domain>/org/<project>/node/<node>     SPIFFE-ID, X509-SVID §2
 * urn:ciphernx:ed25519:<64 hex digits>                  the key that the node signs its reports with
 * ```
 *
 * @module
 */
import { parseCertificate, x509 } from "./x509.ts";

/** Whom a node's certificate names. */
export interface NodeNames {
  readonly projectId: string;
  readonly nodeId: string;
  /** Raw Ed25519 public key, 32 bytes. */
  readonly signingKey: Uint8Array;
}

/** A node's certificate, read. Nothing here says that anybody trusts its issuer. */
export interface NodeCertificate extends NodeNames {
  readonly trustDomain: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const KEY_URN = /^urn:ciphernx:ed25519:([0-9a-f]{64})$/;
const SPIFFE_ID = /^spiffe:\/\/([a-z0-9.-]+)\/org\/([\w.-]+)\/node\/([\w.-]+)$/;
/** id-kp-clientAuth, RFC 5280 §4.2.1.12. */
export const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

/** The two URIs of a node. */
export function nodeUris(trustDomain: string, { projectId, nodeId, signingKey }: NodeNames): readonly [string, string] {
  return [`spiffe://${trustDomain}/org/${projectId}/node/${nodeId}`, `urn:ciphernx:ed25519:${Buffer.from(signingKey).toString("hex")}`];
}

/**
 * Reads a certificate as that of a node.
 *
 * @returns undefined unless it has exactly our two URIs, is meant for TLS clients, and is no CA's
 */
export function readNodeCertificate(der: Uint8Array): NodeCertificate | undefined {
  try {
    return nodeCertificateIn(parseCertificate(der));
  } catch {
    return undefined; // what cannot be parsed, as a whole or in an extension, is no node's certificate
  }
}

function nodeCertificateIn(certificate: x509.X509Certificate): NodeCertificate | undefined {
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? [];
  if (names.length !== 2 || names.some(({ type }) => type !== "url")) return undefined;
  const [trustDomain, projectId, nodeId] =
    names
      .map(({ value }) => SPIFFE_ID.exec(value))
      .find((found) => found !== null)
      ?.slice(1) ?? [];
  const key = names.map(({ value }) => KEY_URN.exec(value)).find((found) => found !== null)?.[1];
  if (trustDomain === undefined || projectId === undefined || nodeId === undefined || key === undefined) return undefined;
  if (certificate.getExtension(x509.BasicConstraintsExtension)?.ca !== false) return undefined;
  if (!(certificate.getExtension(x509.ExtendedKeyUsageExtension)?.usages ?? []).includes(CLIENT_AUTH)) return undefined;
  const { notBefore, notAfter } = certificate;
  return { trustDomain, projectId, nodeId, signingKey: new Uint8Array(Buffer.from(key, "hex")), notBefore, notAfter };
}
