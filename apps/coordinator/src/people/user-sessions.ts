import { NexusError } from "@ciphernx/core/errors";
import { hashSecret } from "@ciphernx/core/identity";
import { type Store, userSessions } from "@ciphernx/core/store";
import { and, desc, eq, gt, lte, ne } from "@ciphernx/core/store/sql";

/** Ends the calls that are under way with a session: `access.ts`. */
export type EndCalls = (key: string, reason: NexusError) => void;

/** The key by which `access.ts` lists calls of a session. */
export function sessionCallsKey(sessionToken: string): string {
  return hashSecret(`session ${sessionToken}`);
}

/** A session as its owner sees it; never its token. */
export interface ListedSession {
  readonly id: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
  readonly address: string;
  readonly userAgent: string;
}

/** Open sessions of a person, the one last used first. */
export async function listUserSessions({ db }: Store, userId: string): Promise<readonly ListedSession[]> {
  const rows = await db
    .select()
    .from(userSessions)
    .where(and(eq(userSessions.userId, userId), gt(userSessions.expiresAt, new Date())))
    .orderBy(desc(userSessions.updatedAt), desc(userSessions.id));
  return rows.map(({ id, createdAt, updatedAt, ipAddress, userAgent }) => ({
    ...{ id, createdAt, lastUsedAt: updatedAt },
    ...{ address: ipAddress ?? "", userAgent: userAgent ?? "" },
  }));
}

/** Ends one session of a person, with its calls. @throws NexusError SESSION_NOT_FOUND */
export async function endUserSession({ db }: Store, userId: string, sessionId: string, endCalls: EndCalls): Promise<void> {
  const ended = await db
    .delete(userSessions)
    .where(and(eq(userSessions.id, sessionId), eq(userSessions.userId, userId)))
    .returning();
  if (ended.length === 0) {
    throw new NexusError("SESSION_NOT_FOUND", `You have no open session ${sessionId.slice(0, 100)}.`, { details: { session: sessionId } });
  }
  endCallsOf(ended, "The session was ended.", endCalls);
}

/** Ends all sessions of a person but one. */
export async function endOtherSessions({ db }: Pick<Store, "db">, userId: string, kept: string, endCalls: EndCalls): Promise<void> {
  const ended = await db
    .delete(userSessions)
    .where(and(eq(userSessions.userId, userId), ne(userSessions.id, kept)))
    .returning();
  endCallsOf(ended, "The password was changed.", endCalls);
}

/** Ends the calls under way of a person whose sessions go on. */
export async function endUserCalls({ db }: Pick<Store, "db">, userId: string, why: string, endCalls: EndCalls): Promise<void> {
  endCallsOf(await db.select().from(userSessions).where(eq(userSessions.userId, userId)), why, endCalls);
}

/** Forgets sessions whose time is over. */
export async function forgetOverSessions({ db }: Pick<Store, "db">): Promise<void> {
  await db.delete(userSessions).where(lte(userSessions.expiresAt, new Date()));
}

/** Ends the calls under way with sessions. */
export function endCallsOf(sessions: readonly { readonly token: string }[], why: string, endCalls: EndCalls): void {
  for (const { token } of sessions) endCalls(sessionCallsKey(token), new NexusError("UNAUTHENTICATED", why));
}
