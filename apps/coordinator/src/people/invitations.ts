/**
 * How people become members: by a link, once. Its secret stands behind the `#`, which no browser sends; the page of the coordinator reads
 * it and sends it in a message. Only a hash of it is kept.
 *
 * @module
 */
import { NexusError } from "@ciphernx/core/errors";
import {
  DEFAULT_INVITATION_SECONDS,
  hashPassword,
  hashSecret,
  isInvitationSecret,
  MAX_INVITATION_SECONDS,
  newInvitationSecret,
  passwordFault,
} from "@ciphernx/core/identity";
import { newId } from "@ciphernx/core/ids";
import { invitations, isUniqueViolation, members, type Store, userAccounts, users } from "@ciphernx/core/store";
import { and, asc, eq, gt, isNull } from "@ciphernx/core/store/sql";
import { z } from "zod";
import { hasOwner, parseRole } from "./members.ts";
import type { Deciding, Recorded } from "../nodes.ts";

export type InvitationRow = typeof invitations.$inferSelect;

/** How long the link that makes the first owner is good for: a day; every start of the coordinator makes a new one. */
const FIRST_OWNER_SECONDS = 86_400;

/** What somebody types to become a member. */
export const claimForm = z.strictObject({
  secret: z.string().max(200),
  name: z.string().trim().min(1).max(100),
  email: z.string().trim().toLowerCase().max(254).pipe(z.email()),
  password: z.string().max(1024),
});

/** How an invitation is made. */
export interface InviteOptions {
  readonly role: string;
  /** Whom it is for. */
  readonly name?: string;
  /** The only address that it is good for. */
  readonly email?: string;
  /** 0 for the default. */
  readonly expiresInSeconds?: number;
}

/** Makes an invitation; its secret is told here and never again. @throws NexusError USAGE */
export async function invite(
  { audit }: Recorded,
  { projectId, actor }: Deciding,
  { role, name = "", email = "", expiresInSeconds = 0 }: InviteOptions,
): Promise<{ readonly row: InvitationRow; readonly secret: string }> {
  const seconds = expiresInSeconds === 0 ? DEFAULT_INVITATION_SECONDS : expiresInSeconds;
  if (seconds > MAX_INVITATION_SECONDS) {
    throw new NexusError("USAGE", `An invitation is good for ${MAX_INVITATION_SECONDS} seconds (30 days) at most, not ${seconds}.`);
  }
  if (name.length > 100) throw new NexusError("USAGE", "The name of whom an invitation is for has 100 characters at most.");
  const address = email === "" ? null : claimForm.shape.email.safeParse(email).data;
  if (address === undefined) throw new NexusError("USAGE", `"${email.slice(0, 100)}" is no e-mail address.`);
  const values = { projectId, role: parseRole(role), name: name === "" ? null : name, email: address, firstOwner: false };
  return audit.decide(async (tx) => {
    const made = await insert({ db: tx }, values, seconds);
    const { id, expiresAt } = made.row;
    const details = { role: values.role, expiresAt: expiresAt.toISOString() };
    return { value: made, note: { actor, action: "member-invited", subject: id, details } };
  });
}

/** A link's secret that makes the first owner, in place of earlier ones; undefined when there is an owner. */
export async function inviteFirstOwner(store: Store, projectId: string): Promise<string | undefined> {
  if (await hasOwner(store, projectId)) return undefined;
  await store.db
    .update(invitations)
    .set({ revokedAt: new Date() })
    .where(and(isOpen(projectId), eq(invitations.firstOwner, true)));
  const { secret } = await insert(store, { projectId, role: "owner", name: null, email: null, firstOwner: true }, FIRST_OWNER_SECONDS);
  return secret;
}

/** Invitations that are still good, oldest first. */
export async function openInvitations(store: Store, projectId: string): Promise<readonly InvitationRow[]> {
  return store.db.select().from(invitations).where(isOpen(projectId)).orderBy(asc(invitations.createdAt), asc(invitations.id));
}

/** The invitation of a secret, while it is good. @throws NexusError INVITATION_INVALID */
export async function findInvitation(store: Store, projectId: string, secret: string): Promise<InvitationRow> {
  const [row] = isInvitationSecret(secret)
    ? await store.db
        .select()
        .from(invitations)
        .where(and(isOpen(projectId), eq(invitations.secretHash, hashSecret(secret))))
    : [];
  if (row === undefined || (await isTooLate(store, row))) throw invalid();
  return row;
}

/**
 * Makes somebody a member, and the link useless.
 * @throws NexusError INVITATION_INVALID, PASSWORD_UNFIT, MEMBER_EXISTS
 */
export async function claim(
  { store, audit }: Recorded,
  projectId: string,
  { secret, name, email, password }: z.output<typeof claimForm>,
): Promise<InvitationRow> {
  const found = await findInvitation(store, projectId, secret);
  if (found.email !== null && found.email !== email) throw invalid();
  const fault = passwordFault(password, [email, email.split("@")[0]!, name]);
  if (fault !== undefined) throw new NexusError("PASSWORD_UNFIT", fault);
  const passwordHash = await hashPassword(password);
  const userId = newId("user");
  try {
    return await audit.decide(async (tx) => {
      // Of several who use it at the same time, one finds it unused.
      const [used] = await tx
        .update(invitations)
        .set({ usedAt: new Date() })
        .where(and(isOpen(projectId), eq(invitations.id, found.id)))
        .returning();
      if (used === undefined || (await isTooLate({ db: tx }, used))) throw invalid();
      await tx.insert(users).values({ id: userId, name, email });
      await tx.insert(userAccounts).values({ id: newId("account"), userId, providerId: "credential", accountId: userId, password: passwordHash });
      await tx.insert(members).values({ projectId, userId, role: used.role });
      await tx.update(invitations).set({ usedBy: userId }).where(eq(invitations.id, used.id));
      const details = { role: used.role, invitation: used.id };
      const note = { actor: `user ${userId}`, action: "member-joined", subject: userId, details } as const;
      return { value: { ...used, usedBy: userId }, note };
    });
  } catch (error) {
    if (!isUniqueViolation(error, "users_email")) throw error;
    throw new NexusError("MEMBER_EXISTS", `There is an account for ${email} already.`, { cause: error });
  }
}

/** Whether a link for the first owner is about when there is one, however that one came to be it. */
async function isTooLate(store: { readonly db: Pick<Store["db"], "select"> }, { firstOwner, projectId }: InvitationRow): Promise<boolean> {
  return firstOwner && (await hasOwner(store, projectId));
}

async function insert(
  store: { readonly db: Pick<Store["db"], "insert"> },
  values: Pick<InvitationRow, "projectId" | "role" | "name" | "email" | "firstOwner">,
  seconds: number,
): Promise<{ readonly row: InvitationRow; readonly secret: string }> {
  const secret = newInvitationSecret();
  const [row] = await store.db
    .insert(invitations)
    .values({ id: newId("invitation"), secretHash: hashSecret(secret), ...values, expiresAt: new Date(Date.now() + seconds * 1000) })
    .returning();
  return { row: row!, secret };
}

/** Whether an invitation is good now. */
export function isOpen(projectId: string) {
  return and(eq(invitations.projectId, projectId), isNull(invitations.usedAt), isNull(invitations.revokedAt), gt(invitations.expiresAt, new Date()));
}

/** One answer to every link that is not good: strangers learn nothing of which there were. */
function invalid(): NexusError {
  return new NexusError("INVITATION_INVALID", "This link is not good: it has expired, was used, or is not meant for you.");
}
