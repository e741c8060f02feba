/**
 * Certificate requests (PKCS#10, RFC 2986): what a node sends to be given a certificate. A request proves that its sender holds the
 * key, and nothing else: whom the certificate names is the coordinator's to know.
 *
 * @module
 */
import { NexusError } from "../../errors/index.ts";
import { makeKeyPair, P256, privateKeyPem, x509 } from "./x509.ts";

/** A fresh key, and the request to certify it. */
export interface CertificateRequest {
  /** PKCS#8. */
  readonly keyPem: string;
  /** DER. */
  readonly request: Uint8Array<ArrayBuffer>;
}

/** Larger requests are none of ours: one over a P-256 key has some 250 bytes. */
const MAX_REQUEST_BYTES = 4096;

/** Makes an ECDSA P-256 key and a request signed by it. */
export async function makeCertificateRequest(): Promise<CertificateRequest> {
  const keys = await makeKeyPair();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({ name: "CN=node", keys, signingAlgorithm: P256 });
  return { keyPem: await privateKeyPem(keys.privateKey), request: new Uint8Array(request.rawData) };
}

/** The key that a request proves possession of. @throws NexusError CERTIFICATE_REQUEST_INVALID */
export async function requestedKey(request: Uint8Array): Promise<x509.PublicKey> {
  const refuse = (why: string, cause?: unknown) => new NexusError("CERTIFICATE_REQUEST_INVALID", `The certificate request ${why}.`, { cause });
  if (request.length > MAX_REQUEST_BYTES) throw refuse(`has ${request.length} bytes, more than ${MAX_REQUEST_BYTES}`);
  let parsed: x509.Pkcs10CertificateRequest;
  let isSigned: boolean;
  try {
    parsed = new x509.Pkcs10CertificateRequest(new Uint8Array(request));
    const { algorithm } = parsed.publicKey;
    if (!("namedCurve" in algorithm) || algorithm.namedCurve !== "P-256") throw refuse("is not for an ECDSA P-256 key");
    isSigned = await parsed.verify();
  } catch (error) {
    throw error instanceof NexusError ? error : refuse("cannot be read", error);
  }
  if (!isSigned) throw refuse("is not signed by the key that it brings");
  return parsed.publicKey;
}
