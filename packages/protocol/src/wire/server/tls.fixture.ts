/** A certification authority of a test, with a server's credentials and nodes' certificates. @module */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Authority, makeCertificateRequest, openAuthority } from "@ciphernx/core/identity/ca";
import type { TlsServerCredentials } from "./index.ts";

/** An authority, and a server of it that is reached as 127.0.0.1 and localhost. */
export async function tlsWorld(): Promise<{ readonly authority: Authority; readonly server: TlsServerCredentials }> {
  const home = await mkdtemp(join(tmpdir(), "nexus-tls-"));
  try {
    const { authority } = await openAuthority({ home });
    return { authority, server: await serverCredentials(authority, ["127.0.0.1", "localhost"]) };
  } finally {
    await rm(home, { recursive: true });
  }
}

/** What a server of that authority shows. */
export async function serverCredentials(authority: Authority, names: readonly string[], now = new Date()): Promise<TlsServerCredentials> {
  const { keyPem, chainPem } = await authority.issueServer(names, { now });
  return { key: keyPem, cert: chainPem, ca: authority.trustedPem };
}

/** A node's key and certificate. */
export async function nodeCredentials(
  authority: Authority,
  nodeId: string,
  now = new Date(),
): Promise<{ readonly key: string; readonly cert: string }> {
  const { keyPem, request } = await makeCertificateRequest();
  const names = { projectId: "prj_1", nodeId, signingKey: new Uint8Array(32) };
  return { key: keyPem, cert: await authority.issueNode(request, names, { now }) };
}
