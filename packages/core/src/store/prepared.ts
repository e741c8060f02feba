import type { Database } from "./open-store.ts";

/**
 * A statement that is built once for each database: for those that every task of every round needs, where building the text anew costs
 * more than the database's answer. PostgreSQL keeps its plan, too.
 *
 * @param build ends in `.prepare(name)`; names are unique in the process
 */
export function prepared<Statement>(build: (db: Database) => Statement): (db: Database) => Statement {
  const known = new WeakMap<Database, Statement>();
  return (db) => {
    const before = known.get(db);
    if (before !== undefined) return before;
    const statement = build(db);
    known.set(db, statement);
    return statement;
  };
}
