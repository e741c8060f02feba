import { NexusError } from "@ciphernx/core/errors";
import {
  type ApiTokenState,
  apiTokenState,
  DEFAULT_API_TOKEN_SECONDS,
  hashSecret,
  isRole,
  MAX_API_TOKEN_SECONDS,
  newApiToken,
  ROLES,
} from "@ciphernx/core/identity";
import { newId } from "@ciphernx/core/ids";
import { nameSchema, parseDocumentWith } from "@ciphernx/core/spec";
import { apiTokens, isUniqueViolation, prepared, type Store } from "@ciphernx/core/store";
import { and, asc, eq, isNull, or, sql } from "@ciphernx/core/store/sql";
import type { Deciding, Recorded } from "./nodes.ts";

export type ApiTokenRow = typeof apiTokens.$inferSelect;

/** How exactly the time of the last use is kept: a busy program writes once in so long. */
const LAST_USED_MS = 5 * 60_000;

/**
 * Makes a token. The secret is told here and never again; only its hash is kept.
 * @throws NexusError SPEC_INVALID for a name that is none, USAGE for a role or lifetime that there is not, API_TOKEN_NAME_TAKEN
 */
export async function createApiToken(
  { audit }: Recorded,
  { projectId, actor }: Deciding,
  { name, role, expiresInSeconds }: { readonly name: string; readonly role: string; readonly expiresInSeconds: number },
): Promise<{ readonly row: ApiTokenRow; readonly secret: string }> {
  parseDocumentWith(nameSchema, name, "The token's name");
  if (!isRole(role)) throw new NexusError("USAGE", `"${role}" is not a role.`, { hint: `The roles are ${ROLES.join(", ")}.` });
  const seconds = expiresInSeconds === 0 ? DEFAULT_API_TOKEN_SECONDS : expiresInSeconds;
  if (seconds > MAX_API_TOKEN_SECONDS) {
    throw new NexusError("USAGE", `An API token is good for ${MAX_API_TOKEN_SECONDS} seconds (365 days) at most, not ${seconds}.`);
  }
  const secret = newApiToken();
  try {
    return await audit.decide(async (tx) => {
      const [row] = await tx
        .insert(apiTokens)
        .values({
          id: newId("apiToken"),
          ...{ tokenHash: hashSecret(secret), projectId, name, role },
          expiresAt: new Date(Date.now() + seconds * 1000),
        })
        .returning();
      const { id, expiresAt } = row!;
      const details = { name, role, expiresAt: expiresAt.toISOString() };
      return { value: { row: row!, secret }, note: { actor, action: "token-created", subject: id, details } };
    });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new NexusError("API_TOKEN_NAME_TAKEN", `The project has an API token named "${name}".`, { details: { token: name }, cause: error });
  }
}

/** Every token that the project has had, oldest first. */
export async function listApiTokens(store: Store, projectId: string): Promise<readonly ApiTokenRow[]> {
  return store.db.select().from(apiTokens).where(eq(apiTokens.projectId, projectId)).orderBy(asc(apiTokens.createdAt), asc(apiTokens.id));
}

/** Ends a token for good; one that was revoked stays as it is. @throws NexusError API_TOKEN_NOT_FOUND */
export async function revokeApiToken({ store, audit }: Recorded, { projectId, actor }: Deciding, idOrName: string): Promise<ApiTokenRow> {
  const named = and(eq(apiTokens.name, idOrName), isNull(apiTokens.revokedAt));
  const found = await store.db
    .select()
    .from(apiTokens)
    .where(and(eq(apiTokens.projectId, projectId), or(eq(apiTokens.id, idOrName), named)));
  const token = found.find(({ id }) => id === idOrName) ?? found[0];
  if (token === undefined) {
    throw new NexusError("API_TOKEN_NOT_FOUND", `No API token has the id or name "${idOrName}".`, { details: { token: idOrName } });
  }
  return audit.decide(async (tx) => {
    const [row] = await tx
      .update(apiTokens)
      .set({ revokedAt: sql`coalesce(${apiTokens.revokedAt}, now())` })
      .where(eq(apiTokens.id, token.id))
      .returning();
    return { value: row!, note: { actor, action: "token-revoked", subject: token.id, details: { name: token.name } } };
  });
}

const byHash = prepared((db) =>
  db
    .select()
    .from(apiTokens)
    .where(eq(apiTokens.tokenHash, sql.placeholder("hash")))
    .prepare("api-token-by-hash"),
);

/** The token of a hash, of whatever project, and what it is good for now. */
export async function findApiToken(store: Store, hash: string): Promise<{ readonly row: ApiTokenRow; readonly state: ApiTokenState } | undefined> {
  const [row] = await byHash(store.db).execute({ hash });
  return row === undefined ? undefined : { row, state: apiTokenState(row, new Date()) };
}

/** Keeps that the token was used, unless that was kept a moment ago. */
export async function touchApiToken(store: Store, { id, lastUsedAt }: ApiTokenRow): Promise<void> {
  if (lastUsedAt !== null && Date.now() - lastUsedAt.getTime() < LAST_USED_MS) return;
  await store.db.update(apiTokens).set({ lastUsedAt: new Date() }).where(eq(apiTokens.id, id));
}
