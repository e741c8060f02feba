import { createPrivateKey, X509Certificate } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { NexusError } from "@ciphernx/core/errors";
import { sign } from "@ciphernx/crypto/keys";
import { NodeService } from "@ciphernx/protocol/proto";
import { certificateBytes, type Transport } from "@ciphernx/protocol/wire";
import { findAuthority, type TlsClientCredentials } from "@ciphernx/protocol/wire/connect";
import { createClient } from "@connectrpc/connect";
import { readIfThere, writeDurably } from "./durable-file.ts";
import type { NodeIdentity } from "./identity.ts";
import { transportsOf, type WayToCoordinator } from "./node-transport.ts";

/** The node's TLS key (ECDSA P-256) and certificate, in one file so that they always belong together. */
const TLS_FILE = "tls.pem";
/** The CAs that the coordinator is known by. */
const TRUSTED_FILE = "ca.crt";

/** How a joined node reaches its coordinator. */
export interface NodeConnection {
  /** A transport with what the node trusts and shows at this moment. */
  connect(token: () => string | undefined): Transport;
  /**
   * Sees to it that the node has a certificate that is good for a while, and knows the coordinator's CA: asks for a certificate over a
   * fresh key when it has none, has lived two thirds of its life or longer, or when `caFingerprint` names a CA that is not known yet.
   * On a plain connection there is nothing to do.
   *
   * @returns whether there is a new certificate; transports that are open still show the old one
   * @throws NexusError NODE_NOT_APPROVED, NODE_REMOVED, SERVER_NOT_TRUSTED, COORDINATOR_UNREACHABLE
   */
  renew(caFingerprint?: string): Promise<boolean>;
}

/** The connection of a joined node, with what its folder keeps. @throws NexusError NODE_FOLDER_INVALID */
export async function openNodeConnection(
  folder: string,
  {
    identity,
    url,
    uploadBytesPerSecond,
    transport,
    proxy,
  }: WayToCoordinator & {
    readonly identity: NodeIdentity;
    readonly url: string;
    /** Most that uploads take of the line; undefined: no limit. */
    readonly uploadBytesPerSecond?: number | undefined;
  },
  now: () => Date = () => new Date(),
): Promise<NodeConnection> {
  const open = await transportsOf(transport);
  if (!url.startsWith("https:"))
    return { connect: (token) => open({ baseUrl: url, token, uploadBytesPerSecond }), renew: () => Promise.resolve(false) };
  const [tlsFile, trustedFile] = [join(folder, TLS_FILE), join(folder, TRUSTED_FILE)];
  const { keyFingerprint, makeCertificateRequest, renewalDueAt } = await import("@ciphernx/core/identity/ca");
  let trusted = await readIfThere(trustedFile);
  if (trusted === undefined) {
    throw new NexusError("NODE_FOLDER_INVALID", `The CA of ${url} is missing: there is no ${trustedFile}.`, {
      hint: "Restore the file, or copy `ca/ca.crt` from the coordinator's data folder to it.",
    });
  }
  const kept = await readIfThere(tlsFile);
  let shown = kept === undefined ? undefined : readOwn(tlsFile, kept);
  let dueAt = shown === undefined ? new Date(0) : renewalDueAt(shown);

  const credentials = (): TlsClientCredentials => ({ ca: trusted, ...(shown === undefined ? {} : { key: shown.key, cert: shown.cert }) });
  const isDue = (caFingerprint: string): boolean => {
    if (now() >= dueAt) return true;
    return caFingerprint !== "" && !certificatesIn(trusted!).some((certificate) => keyFingerprint(certificate) === caFingerprint);
  };

  return {
    connect: (token) => open({ baseUrl: url, token, tls: credentials(), proxy, uploadBytesPerSecond }),
    async renew(caFingerprint = "") {
      if (!isDue(caFingerprint)) return false;
      const { nodeId, key } = identity;
      const { keyPem, request } = await makeCertificateRequest();
      // Without a certificate: the one that there is may have expired. The signed nonce says who asks.
      await using asking = open({ baseUrl: url, tls: { ca: trusted }, proxy });
      const client = createClient(NodeService, asking.rpc);
      const { nonce } = await client.challenge({ nodeId });
      const signature = await sign(key, certificateBytes({ nodeId, nonce, request }));
      const issued = await client.issueCertificate({ nodeId, nonce, request, signature });
      const text = `${keyPem}${issued.certificate}`;
      const next = readOwn(`The certificate from ${url}`, text);
      await writeDurably(tlsFile, text, 0o600);
      await writeDurably(trustedFile, issued.trusted, 0o644);
      [shown, trusted] = [next, issued.trusted];
      // By this machine's clock: one that differs much from the coordinator's would have it renewed again and again.
      dueAt = renewalDueAt({ notBefore: now(), notAfter: new Date(now().getTime() + next.notAfter.getTime() - next.notBefore.getTime()) });
      return true;
    },
  };
}

/**
 * Comes to trust a coordinator on another machine by the fingerprint in a join token, and returns its CA, PEM; undefined for one on this
 * machine, which needs none.
 * @throws NexusError SERVER_NOT_TRUSTED, USAGE for a token without a fingerprint
 */
export async function trustedByToken(url: string, token: string, proxy?: string): Promise<string | undefined> {
  if (!url.startsWith("https:")) return undefined;
  const [, fingerprint] = token.split(".", 2);
  if (fingerprint !== undefined && fingerprint !== "" && URL.canParse(url)) return findAuthority({ url, fingerprint, proxy });
  throw new NexusError("USAGE", `The token names no CA by which ${url} could be known.`, {
    hint: "Join with a token made while the coordinator serves other machines: `nexus up --listen`, then `nexus node token`.",
  });
}

/** Keeps what a node that joins trusts; a certificate from before is another node's. Without a CA the node talks to its own machine. */
export async function keepTrusted(folder: string, trusted: string | undefined): Promise<void> {
  await rm(join(folder, TLS_FILE), { force: true });
  if (trusted === undefined) return rm(join(folder, TRUSTED_FILE), { force: true });
  await writeDurably(join(folder, TRUSTED_FILE), trusted, 0o644);
}

interface OwnCertificate {
  readonly key: string;
  readonly cert: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Reads key and certificate. @throws NexusError NODE_FOLDER_INVALID when they do not belong together */
function readOwn(where: string, text: string): OwnCertificate {
  try {
    const [cert = ""] = certificatesIn(text);
    const key = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n/.exec(text)?.[0] ?? "";
    const parsed = new X509Certificate(cert);
    if (!parsed.checkPrivateKey(createPrivateKey(key))) throw new Error("the certificate is for another key");
    return { key, cert, notBefore: new Date(parsed.validFrom), notAfter: new Date(parsed.validTo) };
  } catch (cause) {
    throw new NexusError("NODE_FOLDER_INVALID", `${where} holds no TLS key with its certificate.`, {
      hint: "Delete the file `tls.pem`: `nexus node run` then asks for another certificate.",
      cause,
    });
  }
}

function certificatesIn(pem: string): readonly string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
}
