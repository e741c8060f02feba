import { bytes, count, instant } from "./columns.ts";
import { nodes } from "./nodes.ts";
import { runs } from "./runs.ts";
import { orm, pgCore } from "../drizzle.ts";

const { sql } = orm;
const { check, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, unique } = pgCore;

/** One state per durable step of a round; an abandoned attempt is followed by the next. */
export const ROUND_STATES = ["open", "closed", "summed", "stepped", "committed", "abandoned"] as const;
export const TASK_KINDS = ["statistics", "fit", "evaluate"] as const;
/** `waiting → delivered → accepted | rejected | failed | expired`. */
export const TASK_STATES = ["waiting", "delivered", "accepted", "rejected", "failed", "expired"] as const;

/** One attempt at one round. Tensors are named by the hash of their blob. */
export const rounds = pgTable(
  "rounds",
  {
    runId: text()
      .notNull()
      .references(() => runs.id, { onDelete: "cascade" }),
    /** From 1; 0 gathers what rows are prepared by. */
    round: integer().notNull(),
    /** From 1. */
    attempt: integer().notNull(),
    state: text({ enum: ROUND_STATES }).notNull(),
    baseModelHash: text().notNull(),
    baseStateHash: text(),
    /** The parties that were asked. */
    cohort: jsonb().notNull(),
    /** The parties whose updates were summed: part of what the result is a function of. */
    accepted: jsonb(),
    openedAt: instant().notNull().defaultNow(),
    /** Absolute, so that a restart does not give the round more time. */
    deadlineAt: instant().notNull(),
    closedAt: instant(),
    committedAt: instant(),
    sumHash: text(),
    modelHash: text(),
    serverStateHash: text(),
    fitMetrics: jsonb(),
    evaluateMetrics: jsonb(),
    bytesUp: count().notNull().default(0),
    bytesDown: count().notNull().default(0),
    /** Coordinates that were clipped to the declared range. */
    saturated: count().notNull().default(0),
    transcript: jsonb(),
  },
  (table) => [
    primaryKey({ columns: [table.runId, table.round, table.attempt] }),
    check("rounds_state", sql`${table.state} in ('open', 'closed', 'summed', 'stepped', 'committed', 'abandoned')`),
  ],
);

/** What one party was asked to do in one attempt of a round, and what it answered. */
export const tasks = pgTable(
  "tasks",
  {
    id: text().primaryKey(),
    runId: text().notNull(),
    round: integer().notNull(),
    attempt: integer().notNull(),
    kind: text({ enum: TASK_KINDS }).notNull(),
    nodeId: text()
      .notNull()
      .references(() => nodes.id),
    /** The party's name in the spec. */
    party: text().notNull(),
    state: text({ enum: TASK_STATES }).notNull(),
    config: jsonb().notNull(),
    baseModelHash: text().notNull(),
    deadlineAt: instant().notNull(),
    blobHash: text(),
    blobSizeBytes: count(),
    weight: count(),
    metrics: jsonb(),
    /** Ed25519 signature over the canonical bytes of the report, 64 bytes. */
    signature: bytes(),
    /** An error code of the catalogue, when the answer is not accepted. */
    reasonCode: text(),
    reason: text(),
    bytesUp: count().notNull().default(0),
    bytesDown: count().notNull().default(0),
    durationMs: integer(),
    createdAt: instant().notNull().defaultNow(),
    deliveredAt: instant(),
    reportedAt: instant(),
  },
  (table) => [
    foreignKey({
      name: "tasks_round",
      columns: [table.runId, table.round, table.attempt],
      foreignColumns: [rounds.runId, rounds.round, rounds.attempt],
    }).onDelete("cascade"),
    unique("tasks_party").on(table.runId, table.round, table.attempt, table.kind, table.party),
    index("tasks_open")
      .on(table.nodeId)
      .where(sql`state in ('waiting', 'delivered')`),
    check("tasks_kind", sql`${table.kind} in ('statistics', 'fit', 'evaluate')`),
    check("tasks_state", sql`${table.state} in ('waiting', 'delivered', 'accepted', 'rejected', 'failed', 'expired')`),
  ],
);
