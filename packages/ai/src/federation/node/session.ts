import { NexusError } from "@ciphernx/core/errors";
import { sign } from "@ciphernx/crypto/keys";
import { type AuditHead, NodeService } from "@ciphernx/protocol/proto";
import { sessionBytes, type Transport } from "@ciphernx/protocol/wire";
import { type Client, createClient } from "@connectrpc/connect";
import type { NodeIdentity } from "./identity.ts";

/** A node's authenticated connection; opens itself anew whenever the coordinator has forgotten it. */
export interface NodeSession {
  readonly transport: Transport;
  /** Calls with a session; once more with a fresh one when the coordinator does not know the old one (it restarted). */
  call<T>(action: (client: Client<typeof NodeService>) => Promise<T>): Promise<T>;
  readonly heartbeatIntervalMs: number;
  /** Of the coordinator's CA, as it said when the session was opened last; empty without TLS. */
  readonly caFingerprint: string;
  /** Of the coordinator's audit log, as it was when the session was opened last; undefined while nothing was decided. */
  readonly auditHead: AuditHead | undefined;
}

export interface OpenSessionOptions {
  readonly identity: NodeIdentity;
  readonly kernelBuild: string;
  readonly softwareVersion: string;
  /** Makes the transport that asks `token` for its bearer token. */
  connect(token: () => string | undefined): Transport;
}

/**
 * Opens a session: the coordinator's nonce, signed with the node's key, buys a token.
 * @throws NexusError NODE_NOT_FOUND, NODE_NOT_APPROVED, NODE_REMOVED, SIGNATURE_INVALID, COORDINATOR_UNREACHABLE
 */
export async function openSession({ identity, kernelBuild, softwareVersion, connect }: OpenSessionOptions): Promise<NodeSession> {
  let token: string | undefined;
  let heartbeatIntervalMs = 0;
  let caFingerprint = "";
  let auditHead: AuditHead | undefined;
  const transport = connect(() => token);
  const client = createClient(NodeService, transport.rpc);

  async function authenticate(): Promise<void> {
    token = undefined;
    const { nodeId, key } = identity;
    const { nonce } = await client.challenge({ nodeId });
    const signature = await sign(key, sessionBytes({ nodeId, nonce, kernelBuild, softwareVersion }));
    const opened = await client.openSession({ nodeId, nonce, signature, kernelBuild, softwareVersion, masks: true });
    token = opened.sessionToken;
    heartbeatIntervalMs = opened.heartbeatIntervalMs;
    ({ caFingerprint, auditHead } = opened);
  }

  try {
    await authenticate();
  } catch (error) {
    await transport.close();
    throw error;
  }
  let renewing: Promise<void> | undefined;
  return {
    transport,
    get heartbeatIntervalMs() {
      return heartbeatIntervalMs;
    },
    get caFingerprint() {
      return caFingerprint;
    },
    get auditHead() {
      return auditHead;
    },
    async call(action) {
      const used = token;
      try {
        return await action(client);
      } catch (error) {
        if (!(error instanceof NexusError) || error.code !== "UNAUTHENTICATED") throw error;
        // Calls that fail together renew together.
        if (used === token) {
          renewing ??= authenticate().finally(() => {
            renewing = undefined;
          });
        }
        await renewing;
        return action(client);
      }
    },
  };
}
