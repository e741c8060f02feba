import { NexusError } from "@ciphernx/core/errors";
import { type AttemptLimit, claimsApiToken, hashSecret, isApiToken, type Role, sameSecret } from "@ciphernx/core/identity";
import { retrying, type Store } from "@ciphernx/core/store";
import type { Caller } from "@ciphernx/protocol/permissions";
import { claimsSessionToken } from "@ciphernx/protocol/wire";
import { findApiToken, touchApiToken } from "./api-tokens.ts";
import { callsKeyOf, type People } from "./people/index.ts";
import type { Sessions } from "./sessions.ts";

/** API tokens that were good at their last use, by hash: they are let through to the database while their address is limited. */
const MAX_PROVEN = 10_000;

/** A call or a blob that somebody wants. */
export interface AccessRequest {
  /** As it is told to who may not: `StartRun`, `GET /blobs`. */
  readonly call: string;
  /** Who may, from the table of permissions. */
  readonly callers: readonly Caller[];
  /** The bearer token that it came with, or the session of a browser as a token. */
  readonly token: string | undefined;
  readonly address: string;
  readonly signal?: AbortSignal;
}

/** Somebody who was let in. Dispose of it when the call has ended. */
export interface Admitted extends Disposable {
  readonly kind: "anyone" | "node" | Role;
  /** As the audit log names them: `owner`, `token ID`, `node ID`; `anyone` where nothing was shown. */
  readonly actor: string;
  /** Aborts when what the call came with is revoked; undefined where nothing can be. */
  readonly revoked?: AbortSignal;
}

/** Decides who is let in: the one place where secrets are compared and the table of permissions is enforced. */
export interface Access {
  /** @throws NexusError UNAUTHENTICATED, FORBIDDEN, RATE_LIMITED */
  admit(request: AccessRequest): Promise<Admitted>;
  /**
   * Does something that may find out that a secret within the message is wrong, and counts that against the address.
   * @throws NexusError RATE_LIMITED, whatever `action` throws
   */
  attempt<T>(address: string, action: () => Promise<T>): Promise<T>;
  /** Ends the calls that are under way with a token: by the hash of an API token, or by the `callsKeyOf` a session. */
  endCalls(key: string, reason: NexusError): void;
}

export interface AccessOptions {
  readonly store: Store;
  readonly sessions: Sessions;
  readonly people: Pick<People, "holder">;
  readonly limit: AttemptLimit;
  readonly ownerToken: string;
  readonly projectId: string;
}

/** Errors of a message whose proof is wrong. */
const WRONG_SECRET: ReadonlySet<string> = new Set(["JOIN_TOKEN_INVALID", "ROSTER_INVITATION_INVALID", "ROSTER_INVALID"]);

/** What a token turned out to be. */
interface Known {
  readonly kind: "node" | Role;
  /** As messages name it. */
  readonly who: string;
  /** As the audit log names it. */
  readonly actor: string;
}

export function createAccess({ store, sessions, people, limit, ownerToken, projectId }: AccessOptions): Access {
  /** Calls under way by the hash of their API token, or by their session. */
  const live = new Map<string, Set<AbortController>>();
  const proven = new Set<string>();

  function assertNotLimited(address: string): void {
    const retryAfterSeconds = limit.retryAfterSeconds(address);
    if (retryAfterSeconds === 0) return;
    throw new NexusError("RATE_LIMITED", `Too many wrong secrets came from ${address}; the next may come in ${retryAfterSeconds} s.`, {
      details: { retryAfterSeconds },
    });
  }

  /** A wrong secret: counted, and told as such only while the address has not sent too many. */
  function wrong(address: string, message: string): NexusError {
    assertNotLimited(address);
    limit.failed(address);
    return new NexusError("UNAUTHENTICATED", message);
  }

  async function knownApiToken({ token, address, signal }: AccessRequest & { readonly token: string }): Promise<Known> {
    if (!isApiToken(token)) throw wrong(address, "That is not a whole API token: its checksum does not match.");
    const hash = hashSecret(token);
    // Before the database is asked; a token that was good shows that its holder guesses nothing.
    if (!proven.has(hash)) assertNotLimited(address);
    const found = await retrying(() => findApiToken(store, hash), signal === undefined ? {} : { signal });
    if (found?.state !== "valid") {
      proven.delete(hash);
      if (found === undefined) throw wrong(address, "That API token is unknown to this coordinator.");
      // Only who holds the right secret learns why.
      const at = found.state === "revoked" ? found.row.revokedAt! : found.row.expiresAt;
      throw wrong(address, `The API token "${found.row.name}" ${found.state === "revoked" ? "was revoked" : "expired"} on ${at.toISOString()}.`);
    }
    const { row } = found;
    proven.add(hash);
    if (proven.size > MAX_PROVEN) proven.delete(proven.values().next().value!);
    if (row.projectId !== projectId) {
      throw new NexusError("FORBIDDEN", `The API token "${row.name}" belongs to the project ${row.projectId}; this coordinator serves ${projectId}.`);
    }
    await retrying(() => touchApiToken(store, row), signal === undefined ? {} : { signal });
    return { kind: row.role, who: `The API token "${row.name}" (${row.role})`, actor: `token ${row.id}` };
  }

  /** Nobody guesses a session: its cookie is signed. One that is over is none of the wrong secrets that are counted. */
  async function knownSession({ token, signal }: AccessRequest & { readonly token: string }): Promise<Known> {
    const holder = await retrying(() => people.holder(token), signal === undefined ? {} : { signal });
    if (holder === undefined) throw new NexusError("UNAUTHENTICATED", "The session is over, or there was none.", { hint: "Sign in again." });
    const { session, role } = holder;
    if (role === undefined)
      throw new NexusError("FORBIDDEN", `${session.email} is no member of the project ${projectId}, which this coordinator serves.`);
    return { kind: role, who: `${session.email} (${role})`, actor: `user ${session.userId}` };
  }

  function knownBearer({ token, callers, address }: AccessRequest & { readonly token: string }): Known {
    if (sameSecret(token, ownerToken)) return { kind: "owner", who: "The owner", actor: "owner" };
    const session = sessions.holder(token);
    if (session !== undefined) return { kind: "node", who: `The node ${session.nodeId}`, actor: `node ${session.nodeId}` };
    // Every node comes with the token of a session that is over after the coordinator was started anew: that is no guess.
    if (callers.includes("node")) throw new NexusError("UNAUTHENTICATED", "The call came without the token of an open session.");
    throw wrong(address, "That is neither the owner token of this coordinator nor an API token.");
  }

  return {
    async admit(request) {
      const { call, callers, token } = request;
      if (callers.includes("anyone")) return { kind: "anyone", actor: "anyone", [Symbol.dispose]: () => {} };
      if (token === undefined) {
        throw new NexusError("UNAUTHENTICATED", `${call} needs a token, and came without one.`, {
          details: { call, callers },
        });
      }
      const isSession = claimsSessionToken(token);
      const key = isSession ? callsKeyOf(token) : claimsApiToken(token) ? hashSecret(token) : undefined;
      // The call is listed before the token is looked up, so that no revocation between the two is lost.
      const listed = key === undefined ? undefined : list(live, key);
      try {
        const known = isSession ? knownSession : key === undefined ? knownBearer : knownApiToken;
        const { kind, who, actor } = await known({ ...request, token });
        if (!callers.includes(kind)) {
          throw new NexusError("FORBIDDEN", `${who} may not call ${call}; that is for: ${callers.join(", ")}.`, {
            details: { call, caller: kind, callers },
          });
        }
        if (listed === undefined) return { kind, actor, [Symbol.dispose]: () => {} };
        listed.signal.throwIfAborted();
        return { kind, actor, revoked: listed.signal, [Symbol.dispose]: listed.leave };
      } catch (error) {
        listed?.leave();
        throw error;
      }
    },

    async attempt(address, action) {
      assertNotLimited(address);
      try {
        return await action();
      } catch (error) {
        if (error instanceof NexusError && WRONG_SECRET.has(error.code)) limit.failed(address);
        throw error;
      }
    },

    endCalls(key, reason) {
      proven.delete(key);
      for (const call of live.get(key) ?? []) call.abort(reason);
    },
  };
}

/** Lists one more call of a token. */
function list(live: Map<string, Set<AbortController>>, key: string): { readonly signal: AbortSignal; readonly leave: () => void } {
  const controller = new AbortController();
  const calls = live.get(key) ?? new Set();
  live.set(key, calls.add(controller));
  return {
    signal: controller.signal,
    leave() {
      calls.delete(controller);
      if (calls.size === 0 && live.get(key) === calls) live.delete(key);
    },
  };
}
