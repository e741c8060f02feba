import { count, instant } from "./columns.ts";
import { projects } from "./projects.ts";
import { runs } from "./runs.ts";
import { pgCore } from "../drizzle.ts";

const { index, jsonb, pgTable, text } = pgCore;

/** A finished run's model, with the card that says where it comes from. */
export const models = pgTable(
  "models",
  {
    id: text().primaryKey(),
    projectId: text()
      .notNull()
      .references(() => projects.id),
    runId: text()
      .notNull()
      .unique("models_run")
      .references(() => runs.id),
    name: text().notNull(),
    /** SHA-256 of the safetensors file, its address among the blobs. */
    hash: text().notNull(),
    sizeBytes: count().notNull(),
    card: jsonb().notNull(),
    createdAt: instant().notNull().defaultNow(),
  },
  (table) => [index("models_project").on(table.projectId, table.createdAt)],
);

/**
 * Blobs that were committed. Rows of other tables name blobs by hash without a foreign key: they keep
 * the hash as a record after the bytes have been collected.
 */
export const blobs = pgTable("blobs", {
  hash: text().primaryKey(),
  sizeBytes: count().notNull(),
  kind: text().notNull(),
  createdAt: instant().notNull().defaultNow(),
});
