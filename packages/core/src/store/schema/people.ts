import { ROLES } from "../../identity/roles.ts";
import { orm, pgCore } from "../drizzle.ts";
import { bytes, count, instant } from "./columns.ts";
import { projects } from "./projects.ts";

const { sql } = orm;
const { boolean, check, index, jsonb, pgTable, primaryKey, text, uniqueIndex } = pgCore;

/** People who sign in. Columns are named as better-auth asks for them. */
export const users = pgTable("users", {
  id: text().primaryKey(),
  name: text().notNull(),
  /** In small letters. */
  email: text().notNull().unique("users_email"),
  emailVerified: boolean().notNull().default(false),
  createdAt: instant().notNull().defaultNow(),
  updatedAt: instant().notNull().defaultNow(),
});

/** What a person signs in with: a password (`credential`, hashed), or an identity that an OpenID provider vouches for. */
export const userAccounts = pgTable(
  "user_accounts",
  {
    id: text().primaryKey(),
    userId: text()
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    /** `credential`, or the issuer of an OpenID provider. */
    providerId: text().notNull(),
    /** The user's id for `credential`, else the subject at the issuer. */
    accountId: text().notNull(),
    /** PHC string of scrypt; null for identities of providers. */
    password: text(),
    createdAt: instant().notNull().defaultNow(),
    updatedAt: instant().notNull().defaultNow(),
  },
  (table) => [uniqueIndex("user_accounts_identity").on(table.providerId, table.accountId), index("user_accounts_user").on(table.userId)],
);

/** Sessions of people in browsers. The token alone opens nothing: a cookie holds it with a signature, whose key is no part of the database. */
export const userSessions = pgTable(
  "user_sessions",
  {
    id: text().primaryKey(),
    token: text().notNull().unique("user_sessions_token"),
    userId: text()
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    /** Moves on while the session is used. */
    expiresAt: instant().notNull(),
    ipAddress: text(),
    userAgent: text(),
    createdAt: instant().notNull().defaultNow(),
    updatedAt: instant().notNull().defaultNow(),
  },
  (table) => [index("user_sessions_user").on(table.userId)],
);

/** Passkeys of people: WebAuthn credentials, of which only the public half is here. */
export const userPasskeys = pgTable(
  "user_passkeys",
  {
    /** The credential's id, base64url. */
    id: text().primaryKey(),
    userId: text()
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    /** COSE key. */
    publicKey: bytes().notNull(),
    /** Uses that the authenticator has counted; stays 0 for one that does not count. */
    counter: count().notNull(),
    /** How browsers reach the authenticator. */
    transports: jsonb().$type<readonly string[]>().notNull(),
    /** The host name that it is good for. */
    rpId: text().notNull(),
    createdAt: instant().notNull().defaultNow(),
    lastUsedAt: instant(),
  },
  (table) => [index("user_passkeys_user").on(table.userId)],
);

/** Who is what in which project. */
export const members = pgTable(
  "members",
  {
    projectId: text()
      .notNull()
      .references(() => projects.id, { onDelete: "cascade" }),
    userId: text()
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    role: text({ enum: ROLES }).notNull(),
    createdAt: instant().notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.projectId, table.userId] }),
    check("members_role", sql`${table.role} in ('owner', 'data-scientist', 'data-owner', 'auditor')`),
  ],
);

/** Single-use links with which people become members. Only the hash of a link's secret is kept. */
export const invitations = pgTable(
  "invitations",
  {
    id: text().primaryKey(),
    /** SHA-256 of the secret, in hex. */
    secretHash: text().notNull().unique("invitations_secret"),
    projectId: text()
      .notNull()
      .references(() => projects.id, { onDelete: "cascade" }),
    role: text({ enum: ROLES }).notNull(),
    /** Whom it is for, as its maker says; null when nobody said. */
    name: text(),
    /** The only address that it is good for, in small letters; null for any. */
    email: text(),
    /** The link that makes the first owner: it dies when there is one. */
    firstOwner: boolean().notNull().default(false),
    createdAt: instant().notNull().defaultNow(),
    expiresAt: instant().notNull(),
    usedAt: instant(),
    usedBy: text().references(() => users.id, { onDelete: "set null" }),
    revokedAt: instant(),
  },
  (table) => [
    index("invitations_project").on(table.projectId, table.createdAt),
    check("invitations_role", sql`${table.role} in ('owner', 'data-scientist', 'data-owner', 'auditor')`),
  ],
);
