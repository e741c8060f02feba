import { NexusError } from "@ciphernx/core/errors";
import { newId } from "@ciphernx/core/ids";
import { invitations, isUniqueViolation, members, type Store, userAccounts, users } from "@ciphernx/core/store";
import { and, asc, eq } from "@ciphernx/core/store/sql";
import type { Recorded } from "../nodes.ts";
import { isOpen } from "./invitations.ts";
import type { OidcIdentity } from "./oidc.ts";

/**
 * Who an identity of an OpenID provider is here: by its subject, once it is known; else by an open invitation to the very address that the
 * provider has verified, which is used up. An account that has a password is never taken over by an address: its owner links the
 * identity, being signed in.
 *
 * @throws NexusError SIGN_IN_FAILED for everybody else
 */
export async function findOrInvite({ store, audit }: Recorded, projectId: string, { issuer, subject, email, name }: OidcIdentity): Promise<string> {
  const [known] = await store.db.select().from(userAccounts).where(isIdentity(issuer, subject));
  if (known !== undefined) return known.userId;
  const [invitation] =
    email === undefined
      ? []
      : await store.db
          .select()
          .from(invitations)
          .where(and(isOpen(projectId), eq(invitations.email, email)))
          .orderBy(asc(invitations.createdAt))
          .limit(1);
  if (email === undefined || invitation === undefined) throw stranger();
  const userId = newId("user");
  try {
    await audit.decide(async (tx) => {
      const [used] = await tx
        .update(invitations)
        .set({ usedAt: new Date() })
        .where(and(isOpen(projectId), eq(invitations.id, invitation.id)))
        .returning();
      if (used === undefined) throw stranger();
      await tx.insert(users).values({ id: userId, name: name ?? used.name ?? email, email, emailVerified: true });
      await tx.insert(userAccounts).values({ id: newId("account"), userId, providerId: issuer, accountId: subject });
      await tx.insert(members).values({ projectId, userId, role: used.role });
      await tx.update(invitations).set({ usedBy: userId }).where(eq(invitations.id, used.id));
      const details = { role: used.role, invitation: used.id, by: "OpenID provider" };
      return { value: undefined, note: { actor: `user ${userId}`, action: "member-joined", subject: userId, details } };
    });
  } catch (error) {
    if (isUniqueViolation(error)) throw stranger();
    throw error;
  }
  return userId;
}

/** Lets a person sign in by an identity from now on. @throws NexusError SIGN_IN_FAILED when it is another's */
export async function linkIdentity(store: Store, userId: string, { issuer, subject }: OidcIdentity): Promise<void> {
  await store.db
    .insert(userAccounts)
    .values({ id: newId("account"), userId, providerId: issuer, accountId: subject })
    .onConflictDoNothing();
  const [linked] = await store.db.select().from(userAccounts).where(isIdentity(issuer, subject));
  if (linked?.userId !== userId) throw stranger();
}

const isIdentity = (issuer: string, subject: string) => and(eq(userAccounts.providerId, issuer), eq(userAccounts.accountId, subject));

function stranger(): NexusError {
  return new NexusError("SIGN_IN_FAILED", "Nobody is a member, or invited, under that identity.");
}
