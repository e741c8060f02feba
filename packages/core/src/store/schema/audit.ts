import { count, instant } from "./columns.ts";
import { projects } from "./projects.ts";
import { pgCore } from "../drizzle.ts";

const { jsonb, pgTable, primaryKey, text } = pgCore;

/** Decisions, each linked to the one before (`core/audit`). A trigger of the migration refuses changes: whoever owns the database can drop it. */
export const auditEvents = pgTable(
  "audit_events",
  {
    projectId: text()
      .notNull()
      .references(() => projects.id),
    /** From 1 without gaps. */
    number: count().notNull(),
    at: instant().notNull(),
    actor: text().notNull(),
    action: text().notNull(),
    subject: text().notNull(),
    details: jsonb().notNull(),
    /** Empty in the first. */
    previous: text().notNull(),
    hash: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.number] })],
);
