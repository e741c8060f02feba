import { count, instant } from "./columns.ts";
import { projects } from "./projects.ts";
import { pgCore } from "../drizzle.ts";

const { jsonb, pgTable, primaryKey, text } = pgCore;

/** Entries of the rosters of projects, as organisations signed them; never changed, never removed. */
export const rosterEntries = pgTable(
  "roster_entries",
  {
    projectId: text()
      .notNull()
      .references(() => projects.id),
    /** From 1 without gaps; two writers of the same one are told apart by the key of the table. */
    version: count().notNull(),
    entry: jsonb().notNull(),
    addedAt: instant().notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.version] })],
);
