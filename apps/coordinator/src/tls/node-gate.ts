import { NexusError } from "@ciphernx/core/errors";
import { type NodeCertificate, readNodeCertificate } from "@ciphernx/core/identity/ca";
import { WITHOUT_CERTIFICATE } from "@ciphernx/protocol/permissions";
import { NodeService } from "@ciphernx/protocol/proto";
import type { TlsPeer, WireCall } from "@ciphernx/protocol/wire/server";
import type { Sessions } from "../sessions.ts";

/** Decides about calls that come over TLS, before the services see them. */
export interface NodeGate {
  /**
   * Lets a call in. Calls of nodes need a certificate of our CA that is in time; calls and blobs that come with a node's session need
   * the certificate of that very node and signing key. Joining, asking for a certificate, and people with tokens need none.
   * @throws NexusError CERTIFICATE_REQUIRED, CERTIFICATE_EXPIRED
   */
  admit(call: Pick<WireCall, "path" | "token"> & { readonly peer: TlsPeer }): void;
  /** Whether a connection shows the certificate of a node. */
  belongsTo(peer: TlsPeer, nodeId: string): boolean;
}

const NODE_CALLS = `/${NodeService.typeName}/`;
/** Paths of the calls that need no certificate. */
const FREE_PATHS: ReadonlySet<string> = new Set(
  NodeService.methods.filter(({ localName }) => WITHOUT_CERTIFICATE.has(localName)).map(({ name }) => `${NODE_CALLS}${name}`),
);

/** A gate for the nodes of one trust domain. */
export function createNodeGate(
  { sessions, trustDomain }: { readonly sessions: Pick<Sessions, "holder">; readonly trustDomain: string },
  now: () => Date = () => new Date(),
): NodeGate {
  /** Certificates, read once a connection. */
  const read = new WeakMap<TlsPeer, NodeCertificate>();

  const certificateOf = (peer: TlsPeer): NodeCertificate | undefined => {
    const known = read.get(peer);
    if (known !== undefined || peer.certificate === undefined) return known;
    const certificate = readNodeCertificate(peer.certificate);
    if (certificate?.trustDomain !== trustDomain) return undefined;
    read.set(peer, certificate);
    return certificate;
  };

  const certified = (peer: TlsPeer): NodeCertificate => {
    const certificate = certificateOf(peer);
    if (certificate === undefined) {
      if (peer.distrusted === "CERT_HAS_EXPIRED") throw new NexusError("CERTIFICATE_EXPIRED", "The certificate that the node shows has expired.");
      const shown = peer.distrusted ?? (peer.certificate === undefined ? "it showed none" : "it names no node of this coordinator");
      throw new NexusError("CERTIFICATE_REQUIRED", `The node came over TLS without a certificate of the coordinator's CA (${shown}).`);
    }
    const { nodeId, notAfter } = certificate;
    if (notAfter > now()) return certificate;
    throw new NexusError("CERTIFICATE_EXPIRED", `The certificate of node ${nodeId} expired on ${notAfter.toISOString()}.`, {
      details: { node: nodeId },
    });
  };

  return {
    admit({ peer, path, token }) {
      const session = sessions.holder(token);
      if (session === undefined && (!path.startsWith(NODE_CALLS) || FREE_PATHS.has(path))) return;
      const { nodeId, signingKey } = certified(peer);
      if (session === undefined) return; // the service refuses what needs a session
      if (nodeId !== session.nodeId || Buffer.compare(signingKey, session.publicKey) !== 0) {
        throw new NexusError("CERTIFICATE_REQUIRED", `The certificate of node ${nodeId} does not open the session of node ${session.nodeId}.`, {
          details: { node: session.nodeId, certificate: nodeId },
        });
      }
    },
    belongsTo: (peer, nodeId) => certificateOf(peer)?.nodeId === nodeId,
  };
}
