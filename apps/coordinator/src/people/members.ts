import { NexusError } from "@ciphernx/core/errors";
import { isRole, type Role, ROLES } from "@ciphernx/core/identity";
import { invitations, members, type Store, users, userSessions } from "@ciphernx/core/store";
import { and, asc, eq, gt, isNull, sql } from "@ciphernx/core/store/sql";
import type { Deciding, Recorded } from "../nodes.ts";
import type { InvitationRow } from "./invitations.ts";
import { type EndCalls, endCallsOf, endUserCalls } from "./user-sessions.ts";

/** A member of a project. */
export interface MemberRow {
  readonly userId: string;
  readonly name: string;
  readonly email: string;
  readonly role: Role;
  readonly joinedAt: Date;
  /** Null without an open session. */
  readonly lastSeenAt: Date | null;
  /** Sessions that are open. */
  readonly sessions: number;
}

/** @throws NexusError USAGE for a word that names no role */
export function parseRole(word: string): Role {
  if (isRole(word)) return word;
  throw new NexusError("USAGE", `"${word.slice(0, 100)}" is not a role.`, { hint: `The roles are ${ROLES.join(", ")}.` });
}

/** Members of a project, those who came first first. */
export async function listMembers(store: Store, projectId: string): Promise<readonly MemberRow[]> {
  const open = and(eq(userSessions.userId, users.id), gt(userSessions.expiresAt, new Date()));
  const rows = await store.db
    .select({
      ...{ userId: users.id, name: users.name, email: users.email, role: members.role, joinedAt: members.createdAt },
      lastSeenAt: sql<Date | null>`max(${userSessions.updatedAt})`.mapWith(userSessions.updatedAt),
      sessions: sql<number>`count(${userSessions.id})::int`,
    })
    .from(members)
    .innerJoin(users, eq(users.id, members.userId))
    .leftJoin(userSessions, open)
    .where(eq(members.projectId, projectId))
    .groupBy(users.id, members.role, members.createdAt)
    .orderBy(asc(members.createdAt), asc(users.id));
  return rows;
}

/** The role of a person in a project, and whether there is one in another. */
export async function findMembership(
  store: Store,
  projectId: string,
  userId: string,
): Promise<{ readonly role: Role | undefined; readonly elsewhere: boolean }> {
  const rows = await store.db.select({ projectId: members.projectId, role: members.role }).from(members).where(eq(members.userId, userId));
  return { role: rows.find((row) => row.projectId === projectId)?.role, elsewhere: rows.some((row) => row.projectId !== projectId) };
}

/**
 * Changes what a member may do, at once: calls that wait under the old role end, sessions go on with the new one.
 * @throws NexusError MEMBER_NOT_FOUND, LAST_OWNER, USAGE
 */
export async function setMemberRole(
  { store, audit }: Recorded,
  { projectId, actor }: Deciding,
  { idOrEmail, word }: { readonly idOrEmail: string; readonly word: string },
  endCalls: EndCalls,
): Promise<MemberRow> {
  const role = parseRole(word);
  const member = await findMember(store, projectId, idOrEmail);
  if (member === undefined) throw notFound(idOrEmail);
  await audit.decide(async (tx) => {
    if (role !== "owner") await assertOtherOwner(tx, projectId, member);
    await tx
      .update(members)
      .set({ role })
      .where(and(eq(members.projectId, projectId), eq(members.userId, member.userId)));
    const details = { role, before: member.role };
    return { value: undefined, note: { actor, action: "member-role", subject: member.userId, details } };
  });
  if (role !== member.role) await endUserCalls(store, member.userId, `The role of ${member.email} was changed to ${role}.`, endCalls);
  return { ...member, role };
}

/**
 * Ends a membership with its sessions, or takes an invitation back. Who is a member nowhere any more is forgotten, password and all.
 * @throws NexusError MEMBER_NOT_FOUND, LAST_OWNER
 */
export async function removeMember(
  { store, audit }: Recorded,
  { projectId, actor }: Deciding,
  idOrEmail: string,
  endCalls: EndCalls,
): Promise<{ readonly member?: MemberRow; readonly invitation?: InvitationRow }> {
  const invitation = await audit.decide(async (tx) => {
    const [revoked] = await tx
      .update(invitations)
      .set({ revokedAt: new Date() })
      .where(and(eq(invitations.id, idOrEmail), eq(invitations.projectId, projectId), isNull(invitations.usedAt), isNull(invitations.revokedAt)))
      .returning();
    return { value: revoked, note: revoked && { actor, action: "invitation-revoked" as const, subject: revoked.id } };
  });
  if (invitation !== undefined) return { invitation };
  const member = await findMember(store, projectId, idOrEmail);
  if (member === undefined) throw notFound(idOrEmail);
  const { userId } = member;
  // All or nothing: who is removed has no session left, whatever happens in between.
  const ended = await audit.decide(async (tx) => {
    await assertOtherOwner(tx, projectId, member);
    await tx.delete(members).where(and(eq(members.projectId, projectId), eq(members.userId, userId)));
    const sessions = await tx.delete(userSessions).where(eq(userSessions.userId, userId)).returning();
    const [elsewhere] = await tx.select({ projectId: members.projectId }).from(members).where(eq(members.userId, userId)).limit(1);
    if (elsewhere === undefined) await tx.delete(users).where(eq(users.id, userId));
    return { value: sessions, note: { actor, action: "member-removed", subject: userId, details: { role: member.role } } };
  });
  endCallsOf(ended, `${member.email} is no member of the project any more.`, endCalls);
  return { member };
}

/** Whether the project has an owner who can sign in. */
export async function hasOwner({ db }: { readonly db: Pick<Store["db"], "select"> }, projectId: string): Promise<boolean> {
  const owners = and(eq(members.projectId, projectId), eq(members.role, "owner"));
  return (await db.select({ userId: members.userId }).from(members).where(owners).limit(1)).length > 0;
}

async function findMember(store: Store, projectId: string, idOrEmail: string): Promise<MemberRow | undefined> {
  const email = idOrEmail.trim().toLowerCase();
  return (await listMembers(store, projectId)).find((member) => member.userId === idOrEmail || member.email === email);
}

/** All owners are locked, in one order: two of them who demote each other at the same time do so one after the other. */
async function assertOtherOwner(tx: Pick<Store["db"], "select">, projectId: string, member: MemberRow): Promise<void> {
  const owners = await tx
    .select({ userId: members.userId })
    .from(members)
    .where(and(eq(members.projectId, projectId), eq(members.role, "owner")))
    .orderBy(asc(members.userId))
    .for("update");
  const others = owners.filter(({ userId }) => userId !== member.userId);
  if (others.length > 0 || owners.length === 0) return;
  throw new NexusError("LAST_OWNER", `${member.email} is the last owner of the project.`, { details: { member: member.userId } });
}

function notFound(idOrEmail: string): NexusError {
  return new NexusError("MEMBER_NOT_FOUND", `No member and no open invitation is called "${idOrEmail.slice(0, 100)}".`, {
    details: { member: idOrEmail.slice(0, 100) },
  });
}
