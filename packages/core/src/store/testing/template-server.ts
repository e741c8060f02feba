import { Client } from "pg";
import { migrateDatabase } from "../migrate.ts";
import { openEmbeddedPostgres } from "../postgres/index.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const FAST = { fsync: "off", synchronous_commit: "off", full_page_writes: "off", max_connections: "200" };

/** A server for tests, whose database `nexus` has the schema and nobody connected: a template. */
export interface TemplateServer extends AsyncDisposable {
  readonly databaseUrl: string;
}

/** Starts one in a temporary folder, which goes with it. Nothing in it outlives the tests, so it does not wait for the disk. */
export async function startTemplateServer(): Promise<TemplateServer> {
  const folder = await temporaryFolder();
  try {
    const server = await openEmbeddedPostgres({ folder: folder.path, settings: FAST });
    const client = new Client({ connectionString: server.databaseUrl });
    try {
      await client.connect();
      await migrateDatabase(client);
    } finally {
      await client.end();
    }
    return {
      databaseUrl: server.databaseUrl,
      async [Symbol.asyncDispose]() {
        await server.close();
        await folder[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}
