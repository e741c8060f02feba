import { bytes, count, instant } from "./columns.ts";
import { projects } from "./projects.ts";
import { orm, pgCore } from "../drizzle.ts";

const { sql } = orm;
const { boolean, check, index, jsonb, pgTable, text, unique, uniqueIndex } = pgCore;

/** States of a node: joined, let in by the owner, sent away. */
export const NODE_STATUSES = ["pending", "approved", "removed"] as const;

/** A party's machine, known by its Ed25519 key. */
export const nodes = pgTable(
  "nodes",
  {
    id: text().primaryKey(),
    projectId: text()
      .notNull()
      .references(() => projects.id),
    /** The name a run spec uses for the party. */
    name: text().notNull(),
    /** Raw Ed25519 public key, 32 bytes. */
    publicKey: bytes().notNull(),
    status: text({ enum: NODE_STATUSES }).notNull(),
    /** It signs each request, because it can show no client certificate; said at joining, and once for all. */
    signsRequests: boolean().notNull().default(false),
    kernelBuild: text(),
    softwareVersion: text(),
    /** Whether it said, when it connected last, that it can mask what it uploads. */
    masks: boolean().notNull().default(false),
    joinedAt: instant().notNull().defaultNow(),
    lastSeenAt: instant(),
  },
  (table) => [
    // A removed node gives its name back.
    uniqueIndex("nodes_name")
      .on(table.projectId, table.name)
      .where(sql`status <> 'removed'`),
    check("nodes_status", sql`${table.status} in ('pending', 'approved', 'removed')`),
  ],
);

/** A dataset as the coordinator knows it: a reference, a schema and counts, never rows. */
export const datasets = pgTable(
  "datasets",
  {
    id: text().primaryKey(),
    projectId: text()
      .notNull()
      .references(() => projects.id),
    nodeId: text()
      .notNull()
      .references(() => nodes.id, { onDelete: "cascade" }),
    name: text().notNull(),
    schema: jsonb().notNull(),
    trainExamples: count().notNull(),
    testExamples: count().notNull(),
    contentHash: text().notNull(),
    registeredAt: instant().notNull().defaultNow(),
  },
  (table) => [unique("datasets_node_name").on(table.nodeId, table.name), index("datasets_project_name").on(table.projectId, table.name)],
);
