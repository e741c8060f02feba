import { instant } from "./columns.ts";
import { pgCore } from "../drizzle.ts";

const { boolean, index, jsonb, pgTable, text } = pgCore;

/** Facts about this installation that outlive a process: keys, choices, counters. */
export const settings = pgTable("settings", {
  key: text().primaryKey(),
  value: jsonb().notNull(),
});

/** A project: the nodes, datasets, runs and models of parties that work together. */
export const projects = pgTable("projects", {
  id: text().primaryKey(),
  name: text().notNull().unique("projects_name"),
  createdAt: instant().notNull().defaultNow(),
});

/** Single-use invitations for nodes. Only the hash of a token is kept. */
export const joinTokens = pgTable(
  "join_tokens",
  {
    /** SHA-256 of the token, in hex. */
    tokenHash: text().primaryKey(),
    projectId: text()
      .notNull()
      .references(() => projects.id, { onDelete: "cascade" }),
    /** Whether a node that joins with it takes part at once, without `nexus node approve`. */
    approved: boolean().notNull(),
    expiresAt: instant().notNull(),
    usedAt: instant(),
    usedByNode: text(),
  },
  (table) => [index("join_tokens_project").on(table.projectId)],
);
