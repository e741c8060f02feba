import "reflect-metadata"; // the library's dependency injection asks for it, before it is loaded
import { createHash, createPrivateKey, type KeyObject, randomBytes, X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";

export { x509 };

/** What certificates are signed with: ECDSA P-256 for our own keys, what an operator's CA has otherwise. */
export type SigningAlgorithm = { readonly name: string; readonly namedCurve?: string; readonly hash: string };

export const P256: SigningAlgorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** How CAs of operators sign, by the kind of their key. */
const ALGORITHM_OF_KEY: Readonly<Record<string, SigningAlgorithm>> = {
  "ec prime256v1": P256,
  "ec secp384r1": { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" },
  rsa: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
};

/** A fresh ECDSA P-256 key pair. TLS keys are no Ed25519: browsers and grpcio take no such certificates. */
export async function makeKeyPair(): Promise<{ readonly privateKey: CryptoKey; readonly publicKey: CryptoKey }> {
  return crypto.subtle.generateKey(P256, true, ["sign", "verify"]) as Promise<CryptoKeyPair>;
}

/** The private key as PKCS#8 PEM. */
export async function privateKeyPem(key: CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}

/** A signer for a private key; undefined for kinds of keys that certificates are not signed with here. */
export async function signerOf(pem: string | KeyObject): Promise<{ readonly key: CryptoKey; readonly algorithm: SigningAlgorithm } | undefined> {
  const known = typeof pem === "string" ? createPrivateKey(pem) : pem;
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = known;
  const algorithm = ALGORITHM_OF_KEY[details?.namedCurve === undefined ? String(type) : `${type} ${details.namedCurve}`];
  if (algorithm === undefined) return undefined;
  const pkcs8 = new Uint8Array(known.export({ type: "pkcs8", format: "der" }));
  return { key: await crypto.subtle.importKey("pkcs8", pkcs8, algorithm, false, ["sign"]), algorithm };
}

/** SHA-256 of a certificate's SubjectPublicKeyInfo, base64url: what a join token carries. */
export function keyFingerprint(certificate: string | Uint8Array): string {
  const key = new X509Certificate(certificate).publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(key).digest("base64url");
}

/** Reads one certificate, PEM or DER. @throws whatever the parser says of what is none. */
export function parseCertificate(certificate: string | Uint8Array): x509.X509Certificate {
  return new x509.X509Certificate(typeof certificate === "string" ? certificate : new Uint8Array(certificate));
}

/** 127 random bits: RFC 5280 §4.1.2.2 asks for positive numbers of 20 octets at most. */
export function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.toString("hex");
}
