import { join } from "node:path";
import type { AuditLog } from "../audit/audit-log.ts";
import type { AttemptLimit, Role } from "@ciphernx/core/identity";
import { retrying, type Store } from "@ciphernx/core/store";
import { claimsSessionToken, type RequestHeaders, sessionCookieValue, sessionToken, socketSessionToken } from "@ciphernx/protocol/wire";
import type { Site } from "@ciphernx/protocol/wire/server";
import type { Logger } from "pino";
import { secretFile } from "../secret-file.ts";
import { inviteFirstOwner } from "./invitations.ts";
import { findMembership } from "./members.ts";
import { createOidc, type OidcOptions } from "./oidc.ts";
import { createSignIn, type OpenSession, type SignIn } from "./sign-in.ts";
import { createSite } from "./site.ts";
import { type EndCalls, sessionCallsKey } from "./user-sessions.ts";

/** Signs the cookies of sessions. Without it nothing in the database opens one. */
const SECRET_FILE = "session.key";

/** Whom a session speaks for, while it is good. */
export interface SessionHolder {
  readonly session: OpenSession;
  /** Undefined for somebody who is a member of other projects alone. */
  readonly role: Role | undefined;
}

/** People who sign in at the coordinator's page. */
export interface People {
  /** The session that a browser shows, as a token; nothing has checked it yet. @param socket the host that a WebSocket is meant for */
  readonly sessionOf: (headers: RequestHeaders, isTls: boolean, socket?: string) => string | undefined;
  /** Whom a session's token speaks for; undefined when it is forged, over, or of nobody who is a member any more. */
  holder(token: string): Promise<SessionHolder | undefined>;
  /** The page, and what it asks beside RPCs. */
  readonly site: Site;
  /** A link's secret that makes the first owner; undefined when there is one. */
  firstOwnerSecret(): Promise<string | undefined>;
}

export interface PeopleOptions {
  readonly store: Store;
  readonly audit: AuditLog;
  /** The data folder. */
  readonly home: string;
  readonly projectId: string;
  readonly projectName: string;
  /** Wrong passwords and links by address. */
  readonly limit: AttemptLimit;
  readonly endCalls: EndCalls;
  /** A provider by which people may sign in. */
  readonly oidc?: OidcOptions | undefined;
  readonly log: Logger;
}

/** Name of the cookie that holds a session. */
export function sessionCookieName(projectId: string, isTls: boolean): string {
  return `${isTls ? "__Host-" : ""}nexus_session_${projectId}`;
}

/** The key by which `access.ts` lists the calls of a session's token. */
export function callsKeyOf(token: string): string {
  // The token of the database stands before the signature.
  return sessionCallsKey(sessionCookieValue(token).split(".", 1)[0]!);
}

export function createPeople({ store, audit, home, projectId, projectName, limit, endCalls, oidc, log }: PeopleOptions): People {
  const opened = new Map<boolean, Promise<SignIn>>();
  /** One for each kind of cookie, when the first browser comes. */
  const signIn = (isTls: boolean): Promise<SignIn> => {
    const before = opened.get(isTls);
    if (before !== undefined) return before;
    const made = secretFile(join(home, SECRET_FILE)).then((secret) =>
      createSignIn({ ...{ store, secret, isTls, log }, cookieName: sessionCookieName(projectId, isTls) }),
    );
    made.catch(() => opened.delete(isTls)); // the next browser tries again; who asked now is told
    opened.set(isTls, made);
    return made;
  };

  async function holder(token: string): Promise<SessionHolder | undefined> {
    if (!claimsSessionToken(token)) return undefined;
    // Either kind of cookie is signed alike.
    const session = await (await signIn(false)).find(sessionCookieValue(token));
    if (session === undefined) return undefined;
    const { role, elsewhere } = await retrying(() => findMembership(store, projectId, session.userId));
    return role === undefined && !elsewhere ? undefined : { session, role };
  }

  return {
    sessionOf(headers, isTls, socket) {
      const name = sessionCookieName(projectId, isTls);
      return socket === undefined ? sessionToken(headers, name) : socketSessionToken(headers, name, socket, isTls);
    },
    holder,
    site: createSite({
      ...{ store, audit, limit, endCalls, log, signIn },
      oidc: oidc === undefined ? undefined : createOidc(oidc),
      project: { id: projectId, name: projectName },
      cookieName: (isTls) => sessionCookieName(projectId, isTls),
    }),
    firstOwnerSecret: () => retrying(() => inviteFirstOwner(store, projectId)),
  };
}
