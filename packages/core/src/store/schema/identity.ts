import { ROLES } from "../../identity/roles.ts";
import { orm, pgCore } from "../drizzle.ts";
import { instant } from "./columns.ts";
import { projects } from "./projects.ts";

const { sql } = orm;
const { check, pgTable, text, uniqueIndex } = pgCore;

/** Bearer tokens of programs. Only the hash of a token is kept. */
export const apiTokens = pgTable(
  "api_tokens",
  {
    id: text().primaryKey(),
    /** SHA-256 of the token, in hex. */
    tokenHash: text().notNull().unique("api_tokens_hash"),
    projectId: text()
      .notNull()
      .references(() => projects.id, { onDelete: "cascade" }),
    name: text().notNull(),
    role: text({ enum: ROLES }).notNull(),
    createdAt: instant().notNull().defaultNow(),
    expiresAt: instant().notNull(),
    revokedAt: instant(),
    /** To within a few minutes: a busy program is not to cost a write a call. */
    lastUsedAt: instant(),
  },
  (table) => [
    // A revoked token gives its name back.
    uniqueIndex("api_tokens_name")
      .on(table.projectId, table.name)
      .where(sql`revoked_at is null`),
    check("api_tokens_role", sql`${table.role} in ('owner', 'data-scientist', 'data-owner', 'auditor')`),
  ],
);
