import { NexusError } from "@ciphernx/core/errors";
import { retrying, type Store } from "@ciphernx/core/store";
import { verify } from "@ciphernx/crypto/keys";
import { isLoopbackHost } from "@ciphernx/protocol/wire";
import { createReplayWindow, readSignature } from "@ciphernx/protocol/wire/signatures";
import type { CheckSignature } from "@ciphernx/protocol/wire/server";
import { admittedNode } from "../nodes.ts";
import type { Sessions } from "../sessions.ts";

export interface SignatureCheckOptions {
  readonly store: Store;
  readonly sessions: Pick<Sessions, "ofNode">;
  /** Names and addresses under which other machines reach this coordinator: those of its certificate. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * Verifies signatures of requests: meant for this coordinator, made just now, by the key of a node that joined to sign its requests and is approved, and
 * not seen before. What costs least is asked first; the database only for a node without an open session.
 */
export function createSignatureCheck({ store, sessions, names, now }: SignatureCheckOptions): CheckSignature {
  const window = createReplayWindow(now);
  const own = new Set(names.map((name) => hostOf(name.includes(":") ? `[${name}]` : name)));

  /** What somebody signed for another coordinator, and that one sends here, names the other. On a plain port, the server has asked for loopback. */
  function assertMeantForUs(nodeId: string, authority: string, isTls: boolean): void {
    const host = hostOf(authority);
    if (isTls ? own.has(host) : isLoopbackHost(host)) return;
    throw new NexusError(
      "SIGNATURE_INVALID",
      `The request of node ${nodeId} is signed for ${authority}, which is none of this coordinator's names.`,
      {
        hint: "Reach the coordinator under a name of its certificate; the operator adds names with `nexus up --public-name`.",
        details: { node: nodeId, authority },
      },
    );
  }

  return async (request) => {
    const shown = readSignature(request);
    const { nodeId } = shown;
    assertMeantForUs(nodeId, request.authority, request.isTls);
    window.assertTimely(nodeId, shown.createdUnixSeconds);
    const { publicKey, signsRequests } = sessions.ofNode(nodeId) ?? (await retrying(() => admittedNode(store, nodeId)));
    if (!signsRequests) {
      throw new NexusError("CERTIFICATE_REQUIRED", `Node ${nodeId} has a certificate: its requests are not taken by signatures.`, {
        details: { node: nodeId },
      });
    }
    if (!(await verify(publicKey, shown.base, shown.signature))) {
      throw new NexusError("SIGNATURE_INVALID", `The request is not signed by the key that node ${nodeId} joined with.`, {
        details: { node: nodeId },
      });
    }
    window.use(shown);
    return nodeId;
  };
}

/** Name or address of an authority, as URLs have it. */
function hostOf(authority: string): string {
  return URL.parse(`https://${authority}`)?.hostname ?? "";
}
