import { NexusError } from "@ciphernx/core/errors";
import { hashPassword, passwordFault, verifyPassword } from "@ciphernx/core/identity";
import { type Store, userAccounts } from "@ciphernx/core/store";
import { and, eq } from "@ciphernx/core/store/sql";
import type { OpenSession } from "./sign-in.ts";

/** Gives a person another password. @throws NexusError SIGN_IN_FAILED when the one before is wrong, PASSWORD_UNFIT */
export async function changePassword(
  store: Store,
  { userId, name, email }: Pick<OpenSession, "userId" | "name" | "email">,
  { before, after }: { readonly before: string; readonly after: string },
): Promise<void> {
  const fault = passwordFault(after, [email, email.split("@")[0]!, name]);
  if (fault !== undefined) throw new NexusError("PASSWORD_UNFIT", fault);
  const mine = and(eq(userAccounts.userId, userId), eq(userAccounts.providerId, "credential"));
  const [account] = await store.db.select().from(userAccounts).where(mine);
  const hash = account?.password ?? undefined;
  if (hash === undefined || !(await verifyPassword(hash, before))) throw new NexusError("SIGN_IN_FAILED", "That is not your password so far.");
  await store.db
    .update(userAccounts)
    .set({ password: await hashPassword(after), updatedAt: new Date() })
    .where(mine);
}
