import { bytes, instant } from "./columns.ts";
import { orm, pgCore } from "../drizzle.ts";
import { rounds, TASK_KINDS, tasks } from "./rounds.ts";

const { sql } = orm;
const { check, foreignKey, integer, pgTable, primaryKey, text } = pgCore;

/** Steps of a protected sum, in their order; holders are drawn in a sampled graph alone. */
export const SUM_STEPS = ["keys", "holders", "shares", "vector", "survivors", "unmask"] as const;

/** What a party handed in for a step of a protected sum, as it came over the wire. Its masked vector is a blob of the task. */
export const sumContributions = pgTable(
  "sum_contributions",
  {
    taskId: text()
      .notNull()
      .references(() => tasks.id, { onDelete: "cascade" }),
    step: text({ enum: SUM_STEPS }).notNull(),
    message: bytes().notNull(),
    receivedAt: instant().notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.taskId, table.step] }),
    check("sum_contributions_step", sql`${table.step} in ('keys', 'holders', 'shares', 'vector', 'survivors', 'unmask')`),
  ],
);

/** Steps that ended, with the parties that took them: nothing is added to a step afterwards. */
export const sumSteps = pgTable(
  "sum_steps",
  {
    runId: text().notNull(),
    round: integer().notNull(),
    attempt: integer().notNull(),
    kind: text({ enum: TASK_KINDS }).notNull(),
    step: text({ enum: SUM_STEPS }).notNull(),
    /** Bitmap over the plan's list. */
    parties: bytes().notNull(),
    openedAt: instant().notNull(),
    closedAt: instant().notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.runId, table.round, table.attempt, table.kind, table.step] }),
    foreignKey({
      name: "sum_steps_round",
      columns: [table.runId, table.round, table.attempt],
      foreignColumns: [rounds.runId, rounds.round, rounds.attempt],
    }).onDelete("cascade"),
    check("sum_steps_step", sql`${table.step} in ('keys', 'holders', 'shares', 'vector', 'survivors', 'unmask')`),
  ],
);
