import { count, instant } from "./columns.ts";
import { projects } from "./projects.ts";
import { orm, pgCore } from "../drizzle.ts";

const { sql } = orm;
const { boolean, check, index, integer, jsonb, pgTable, primaryKey, text } = pgCore;

/** `pending → starting → running → finished`. */
export const RUN_STATES = ["pending", "starting", "running", "finished"] as const;
/** How a finished run ended. */
export const RUN_OUTCOMES = ["completed", "failed", "stopped"] as const;

/** That an organisation started a run. */
export interface StartedBy {
  /** Its name on the roster. */
  readonly organisation: string;
  /** Empty where the run starts from the spec's initialisation. */
  readonly initialModelHash: string;
  /** Ed25519 by the organisation's key, in hex. */
  readonly signature: string;
}

/** One run: the spec it was started from, the plan it was priced with, and how far it has come. */
export const runs = pgTable(
  "runs",
  {
    id: text().primaryKey(),
    projectId: text()
      .notNull()
      .references(() => projects.id),
    name: text().notNull(),
    spec: jsonb().notNull(),
    specHash: text().notNull(),
    plan: jsonb().notNull(),
    /** Who sees what, as it was printed when the run started; null in runs from before it was kept. */
    exposure: jsonb(),
    seed: count().notNull(),
    state: text({ enum: RUN_STATES }).notNull(),
    outcome: text({ enum: RUN_OUTCOMES }),
    /** Why the run failed or was stopped. */
    reason: text(),
    /** Rounds the spec asks for. */
    rounds: integer().notNull(),
    /** The last committed round; 0 before the first. */
    currentRound: integer().notNull().default(0),
    initialModelHash: text(),
    /** The model of the last committed round. */
    modelHash: text(),
    serverStateHash: text(),
    /** How rows become inputs, once the parties' statistics have been added; null before, and where nothing is prepared. */
    preprocessing: jsonb(),
    stopRequested: boolean().notNull().default(false),
    /** Two starts with one key give one run. */
    idempotencyKey: text().unique("runs_idempotency_key"),
    /** The organisation that started it, and what it signed beside spec, plan and idempotency key; null where the project has no roster. */
    startedBy: jsonb().$type<StartedBy>(),
    createdAt: instant().notNull().defaultNow(),
    startedAt: instant(),
    finishedAt: instant(),
  },
  (table) => [
    index("runs_project").on(table.projectId, table.createdAt),
    index("runs_unfinished")
      .on(table.state)
      .where(sql`state <> 'finished'`),
    check("runs_state", sql`${table.state} in ('pending', 'starting', 'running', 'finished')`),
    check("runs_outcome", sql`${table.outcome} in ('completed', 'failed', 'stopped')`),
    check("runs_finished", sql`(${table.state} = 'finished') = (${table.outcome} is not null)`),
  ],
);

/** What happened in a run, numbered from 1 without gaps, so that a watcher resumes from a number. */
export const events = pgTable(
  "events",
  {
    runId: text()
      .notNull()
      .references(() => runs.id, { onDelete: "cascade" }),
    number: count().notNull(),
    at: instant().notNull().defaultNow(),
    type: text().notNull(),
    payload: jsonb().notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.number] })],
);
