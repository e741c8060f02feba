import { fileURLToPath } from "node:url";
import type { Client } from "pg";
import { NexusError } from "../errors/index.ts";
import { databaseError } from "./database-error.ts";
import { migrator, nodePostgres } from "./drizzle.ts";

const CONFIG = {
  migrationsFolder: fileURLToPath(new URL("../../migrations", import.meta.url)),
  migrationsSchema: "public",
  migrationsTable: "schema_migrations",
};

async function appliedHashes(client: Client): Promise<string[]> {
  const table = await client.query<{ present: boolean }>("select to_regclass('public.schema_migrations') is not null as present");
  if (table.rows[0]?.present !== true) return [];
  const { rows } = await client.query<{ hash: string }>("select hash from public.schema_migrations order by created_at");
  return rows.map((row) => row.hash);
}

/**
 * Brings a database to the schema of this build. The caller holds the database's lock.
 *
 * @throws DATA_FOLDER_UNUSABLE when the database has had migrations that this build does not know
 */
export async function migrateDatabase(client: Client): Promise<void> {
  try {
    const known = new Set(migrator.readMigrationFiles(CONFIG).map((migration) => migration.hash));
    const applied = await appliedHashes(client);
    const unknown = applied.filter((hash) => !known.has(hash)).length;
    if (unknown > 0) {
      const message = `The database's schema is newer than this software: it has ${applied.length} migrations, of which ${unknown} are unknown here (${known.size} are known).`;
      throw new NexusError("DATA_FOLDER_UNUSABLE", message, {
        hint: "Use the software that wrote the database, or choose another folder with --home.",
        details: { applied: applied.length, unknown, known: known.size },
      });
    }
    await migrator.migrate(nodePostgres.drizzle(client), CONFIG);
  } catch (error) {
    throw databaseError(error);
  }
}
