import { NexusError } from "@ciphernx/core/errors";
import type { WireCall } from "@ciphernx/protocol/wire/server";
import type { Sessions } from "../sessions.ts";

/**
 * Decides about signatures of calls, before the services see them: whether a signature stands for the call, so that nobody asks for a certificate.
 * A node that joined to sign its requests is taken at its signature alone, on whichever port; a signature stands for no session but its node's own.
 * @throws NexusError SIGNATURE_REQUIRED
 */
export function isSignedByItsNode(sessions: Pick<Sessions, "holder">, { token, signedBy }: Pick<WireCall, "token" | "signedBy">): boolean {
  const session = sessions.holder(token);
  // Without a session: the service says what needs one, and whose it may be.
  if (session === undefined) return signedBy !== undefined;
  if (session.signsRequests || signedBy !== undefined) assertSigner(session, signedBy);
  return session.signsRequests;
}

/**
 * Sees to it that a node which signs is whom a call speaks for, and that no signature speaks for a node with a certificate.
 * @throws NexusError SIGNATURE_REQUIRED, CERTIFICATE_REQUIRED
 */
export function assertSigner(node: { readonly nodeId: string; readonly signsRequests: boolean }, signedBy: string | undefined): void {
  const { nodeId, signsRequests } = node;
  if (signsRequests ? signedBy === nodeId : signedBy === undefined) return;
  if (!signsRequests) {
    throw new NexusError("CERTIFICATE_REQUIRED", `Node ${nodeId} has a certificate: no signature of a request, of node ${signedBy}, stands for it.`, {
      details: { node: nodeId, signedBy },
    });
  }
  const how = signedBy === undefined ? "is not signed" : `is signed by node ${signedBy}`;
  throw new NexusError("SIGNATURE_REQUIRED", `Node ${nodeId} joined to sign its requests, and this one ${how}.`, {
    details: { node: nodeId, signedBy },
  });
}
