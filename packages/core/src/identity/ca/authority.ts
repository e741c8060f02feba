/**
 * The coordinator's certification authority: X.509 certificates after RFC 5280, node certificates as SPIFFE X509-SVIDs. It certifies
 * its own servers and the nodes of its projects, nothing else.
 *
 * Assumed: clocks that differ by less than {@link CLOCK_SKEW_MS}, and that whoever asks for a certificate has been told apart by
 * other means (a node by the signature of its Ed25519 key over a fresh nonce).
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { requestedKey } from "./certificate-request.ts";
import { CLIENT_AUTH, type NodeNames, nodeUris } from "./node-names.ts";
import { keyFingerprint, makeKeyPair, P256, parseCertificate, privateKeyPem, serialNumber, type SigningAlgorithm, x509 } from "./x509.ts";

const DAY_MS = 24 * 3_600_000;
/** Certificates are good from so long before they are made. */
const CLOCK_SKEW_MS = 5 * 60_000;
const ROOT_DAYS = 3_650;
/** A server certificate is made anew at two thirds of this. */
export const SERVER_DAYS = 30;
/** Of a node's certificate: what is stolen with its folder opens nothing for longer, even if nobody notices. */
export const NODE_DAYS = 7;
/** id-kp-serverAuth. */
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";

/** What an authority consists of; all of it but the signer is public. */
export interface AuthorityParts {
  readonly trustDomain: string;
  readonly certificatePem: string;
  readonly signer: { readonly key: CryptoKey; readonly algorithm: SigningAlgorithm };
  /** This authority's key certified by the one before it, that one's by the one before, and so on: for those who know an old one only. */
  readonly crossPem?: string | undefined;
  /** Earlier authorities whose node certificates are still good. */
  readonly previousPems?: readonly string[] | undefined;
}

/** A server's key and certificates. */
export interface ServerCredentials {
  readonly keyPem: string;
  /** The server's own, then what leads from it to the authority. */
  readonly chainPem: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Issues certificates. */
export interface Authority {
  readonly trustDomain: string;
  readonly certificatePem: string;
  /** SHA-256 of its public key (SPKI), base64url: what join tokens carry. */
  readonly fingerprint: string;
  /** Its certificate and those of earlier authorities that are still trusted. */
  readonly trustedPem: string;
  /** Certifies a fresh key for a server that is reached under these names and addresses. */
  issueServer(names: readonly string[], options?: { readonly now?: Date }): Promise<ServerCredentials>;
  /**
   * Certifies a node's key, PEM. Of the request (DER) only the key is taken.
   * @throws NexusError CERTIFICATE_REQUEST_INVALID
   */
  issueNode(request: Uint8Array, node: NodeNames, options?: { readonly now?: Date; readonly days?: number }): Promise<string>;
}

/** An authority over these parts. */
export function createAuthority({ trustDomain, certificatePem, signer, crossPem, previousPems = [] }: AuthorityParts): Authority {
  const root = parseCertificate(certificatePem);
  const issue = async (publicKey: x509.PublicKey | CryptoKey, subject: string, validity: Validity, extensions: x509.Extension[]): Promise<string> => {
    const certificate = await x509.X509CertificateGenerator.create({
      ...{ serialNumber: serialNumber(), subject, issuer: root.subject, ...validity },
      ...{ publicKey, signingKey: signer.key, signingAlgorithm: signer.algorithm },
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        await x509.AuthorityKeyIdentifierExtension.create(root.publicKey),
        ...extensions,
      ],
    });
    return pem(certificate);
  };

  return {
    trustDomain,
    certificatePem,
    fingerprint: keyFingerprint(certificatePem),
    trustedPem: [certificatePem, ...previousPems].join(""),
    async issueServer(names, { now = new Date() } = {}) {
      const keys = await makeKeyPair();
      const validity = validFor(SERVER_DAYS, now);
      const leaf = await issue(keys.publicKey, "CN=Cipher Nexus coordinator", validity, [
        new x509.ExtendedKeyUsageExtension([SERVER_AUTH]),
        new x509.SubjectAlternativeNameExtension(names.map((name) => ({ type: isIP(name) === 0 ? ("dns" as const) : ("ip" as const), value: name }))),
      ]);
      return { keyPem: await privateKeyPem(keys.privateKey), chainPem: `${leaf}${crossPem ?? certificatePem}`, ...validity };
    },
    async issueNode(request, node, { now = new Date(), days = NODE_DAYS } = {}) {
      const key = await requestedKey(request);
      return issue(key, "CN=Cipher Nexus node", validFor(days, now), [
        new x509.ExtendedKeyUsageExtension([CLIENT_AUTH]),
        new x509.SubjectAlternativeNameExtension(nodeUris(trustDomain, node).map((value) => ({ type: "url" as const, value }))),
      ]);
    },
  };
}

/** A new authority's key (PKCS#8) and certificate, and that certificate's key certified by the authority `before` it. */
export async function makeRoot(
  trustDomain: string,
  before?: Pick<AuthorityParts, "certificatePem" | "signer">,
): Promise<{ readonly keyPem: string; readonly certificatePem: string; readonly crossPem?: string }> {
  const { privateKey, publicKey } = await makeKeyPair();
  // A name of its own: two authorities of one name would be mistaken for one another where chains are built.
  const subject = `CN=Cipher Nexus CA ${randomBytes(4).toString("hex")}, O=${trustDomain}`;
  const subjectKey = await x509.SubjectKeyIdentifierExtension.create(publicKey);
  const certify = async (issuer: string, issuerKey: CryptoKey | x509.PublicKey, signer: AuthorityParts["signer"]) =>
    pem(
      await x509.X509CertificateGenerator.create({
        ...{ serialNumber: serialNumber(), subject, issuer, ...validFor(ROOT_DAYS, new Date()) },
        ...{ publicKey, signingKey: signer.key, signingAlgorithm: signer.algorithm },
        extensions: [
          new x509.BasicConstraintsExtension(true, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
          subjectKey,
          await x509.AuthorityKeyIdentifierExtension.create(issuerKey),
          new x509.SubjectAlternativeNameExtension([{ type: "url", value: `spiffe://${trustDomain}` }]),
        ],
      }),
    );
  const certificatePem = await certify(subject, publicKey, { key: privateKey, algorithm: P256 });
  const keyPem = await privateKeyPem(privateKey);
  if (before === undefined) return { keyPem, certificatePem };
  const old = parseCertificate(before.certificatePem);
  return { keyPem, certificatePem, crossPem: await certify(old.subject, old.publicKey, before.signer) };
}

/** When a certificate is to be made anew: two thirds of its life, so that there is time for a side that is away. */
export function renewalDueAt({ notBefore, notAfter }: Validity): Date {
  return new Date(notBefore.getTime() + ((notAfter.getTime() - notBefore.getTime()) * 2) / 3);
}

interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

function validFor(days: number, now: Date): Validity {
  return { notBefore: new Date(now.getTime() - CLOCK_SKEW_MS), notAfter: new Date(now.getTime() + days * DAY_MS) };
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString("pem")}\n`;
}
