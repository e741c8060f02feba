import { createHash, randomBytes } from "node:crypto";
import { NexusError } from "@ciphernx/core/errors";

/** A nonce is good for one OpenSession within this time. */
const NONCE_LIFETIME_MS = 30_000;
/** Nonces that wait at most; more come only from somebody who never answers them. */
const MAX_NONCES = 10_000;
/** Time between two signs of life that nodes are asked for. */
export const HEARTBEAT_INTERVAL_MS = 3_000;
/** Silence after which a node counts as absent. */
const ABSENT_AFTER_MS = 3 * HEARTBEAT_INTERVAL_MS + 1_000;

/** A node that has proved who it is. */
export interface NodeCaller {
  readonly nodeId: string;
  readonly kernelBuild: string;
  /** The key that it proved to hold: it signs the node's reports. The session of a node that is removed ends. */
  readonly publicKey: Uint8Array;
  /** It signs each request, in place of a certificate. */
  readonly signsRequests: boolean;
}

/** Who is connected, in memory: after a restart every node opens its session anew. */
export interface Sessions {
  /** 32 random bytes for the node to sign. */
  challenge(nodeId: string): Uint8Array;
  /** Uses a nonce up. @throws NexusError UNAUTHENTICATED when it was not given to that node, was used, or is too old */
  redeem(nodeId: string, nonce: Uint8Array): void;
  /** Opens the session of a node; one it had before ends. */
  open(caller: NodeCaller): string;
  /** Whose token that is; a use is a sign of life. @throws NexusError UNAUTHENTICATED */
  caller(token: string | undefined): NodeCaller;
  /** Whose token that is, without counting it as a sign of life; undefined when it opens no session. */
  holder(token: string | undefined): NodeCaller | undefined;
  /** The node whose open session that is; undefined when it has none. */
  ofNode(nodeId: string): NodeCaller | undefined;
  /** Ends the session of a node that was removed. */
  end(nodeId: string): void;
  /**
   * Counts a long poll of a node that waits: as long as it does, the node is there.
   * @returns ends the count; `hungUp` says that the node closed the connection, as one that stops does
   */
  waiting(nodeId: string): (end: { readonly hungUp: boolean }) => void;
  /** What is known of the node since this coordinator started, for people. */
  presence(nodeId: string): Presence;
  /**
   * Whether a round should no longer count on the node: it has not been heard of for a while. A coordinator that has just started, and
   * a node whose connection broke, are given time to come back.
   */
  absent(nodeId: string): boolean;
}

/** Whether a node is there, and when it last was; undefined when it has not been heard of since the coordinator started. */
export interface Presence {
  readonly online: boolean;
  readonly lastSeenAt: Date | undefined;
}

export function createSessions(now: () => number = () => performance.now()): Sessions {
  const startedAt = now();
  const nonces = new Map<string, { readonly nodeId: string; readonly expiresAt: number }>();
  /** By SHA-256 of the token, so that a memory dump holds no token. */
  const byToken = new Map<string, NodeCaller>();
  const tokenOf = new Map<string, string>();
  const lastSeen = new Map<string, number>();
  const polls = new Map<string, number>();
  /** Nodes that hung up and have not been heard of since. */
  const gone = new Set<string>();

  const hash = (token: string): string => createHash("sha256").update(token).digest("base64");
  const seen = (nodeId: string): void => {
    lastSeen.set(nodeId, now());
    gone.delete(nodeId);
  };
  const isSilent = (since: number): boolean => now() - since >= ABSENT_AFTER_MS;
  const end = (nodeId: string): void => {
    const known = tokenOf.get(nodeId);
    if (known !== undefined) byToken.delete(known);
    tokenOf.delete(nodeId);
  };

  const holder = (token: string | undefined): NodeCaller | undefined => (token === undefined ? undefined : byToken.get(hash(token)));

  return {
    challenge(nodeId) {
      for (const [key, { expiresAt }] of nonces) {
        if (expiresAt > now() && nonces.size < MAX_NONCES) break;
        nonces.delete(key);
      }
      const nonce = randomBytes(32);
      nonces.set(nonce.toString("hex"), { nodeId, expiresAt: now() + NONCE_LIFETIME_MS });
      return nonce;
    },
    redeem(nodeId, nonce) {
      const key = Buffer.from(nonce).toString("hex");
      const known = nonces.get(key);
      nonces.delete(key);
      if (known?.nodeId === nodeId && known.expiresAt > now()) return;
      throw new NexusError("UNAUTHENTICATED", `The nonce of node ${nodeId} is unknown, used or too old.`, { hint: "Ask for a new challenge." });
    },
    open(caller) {
      end(caller.nodeId);
      const token = randomBytes(32).toString("base64url");
      byToken.set(hash(token), caller);
      tokenOf.set(caller.nodeId, hash(token));
      seen(caller.nodeId);
      return token;
    },
    caller(token) {
      const known = holder(token);
      if (known === undefined) throw new NexusError("UNAUTHENTICATED", "The call came without the token of an open session.");
      seen(known.nodeId);
      return known;
    },
    holder,
    ofNode: (nodeId) => byToken.get(tokenOf.get(nodeId) ?? ""),
    end,
    waiting(nodeId) {
      const startedAt = now();
      polls.set(nodeId, (polls.get(nodeId) ?? 0) + 1);
      return ({ hungUp }) => {
        const left = (polls.get(nodeId) ?? 1) - 1;
        if (left === 0) polls.delete(nodeId);
        else polls.set(nodeId, left);
        // A connection that broke is noticed late: the node may have come back on another by then.
        if (!hungUp) seen(nodeId);
        else if (left === 0 && (lastSeen.get(nodeId) ?? 0) <= startedAt) {
          lastSeen.set(nodeId, now());
          gone.add(nodeId);
        }
      };
    },
    presence(nodeId) {
      const waits = polls.has(nodeId);
      const at = waits ? now() : lastSeen.get(nodeId);
      if (at === undefined) return { online: false, lastSeenAt: undefined };
      return { online: waits || !(gone.has(nodeId) || isSilent(at)), lastSeenAt: new Date(Date.now() - (now() - at)) };
    },
    absent: (nodeId) => !polls.has(nodeId) && isSilent(lastSeen.get(nodeId) ?? startedAt),
  };
}
