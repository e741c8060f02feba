import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { Client } from "pg";
import { NexusError } from "../../errors/index.ts";
import { startTemplateServer, type TemplateServer } from "./template-server.ts";

/** Where `global-setup.ts` tells the test files the port at which it lends its server. */
export const LENDER_PORT_VARIABLE = "NEXUS_TEST_DATABASE_PORT";

/** An empty database with the schema of this build, gone when disposed of. */
export interface TestDatabase extends AsyncDisposable {
  /** For `openStore({ dataDir, databaseUrl })`. */
  readonly databaseUrl: string;
}

async function borrowedUrl(port: number): Promise<string> {
  const answer = JSON.parse(await text(connect(port, "127.0.0.1"))) as { databaseUrl?: string; error?: string };
  if (answer.databaseUrl !== undefined) return answer.databaseUrl;
  throw new NexusError("DATABASE_FAILED_TO_START", `The database for tests did not start: ${answer.error ?? "no reason given"}`);
}

function withDatabase(databaseUrl: string, name: string): string {
  const url = new URL(databaseUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function run(databaseUrl: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  try {
    await client.connect();
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/**
 * A database of one's own on a server shared by all test files of the run: a copy of a template, which takes
 * some 30 ms. Outside a test run (a benchmark, an example) it gets a server of its own.
 */
export async function testDatabase(): Promise<TestDatabase> {
  const port = process.env[LENDER_PORT_VARIABLE];
  const own: TemplateServer | undefined = port === undefined ? await startTemplateServer() : undefined;
  try {
    const templateUrl = own?.databaseUrl ?? (await borrowedUrl(Number(port)));
    const adminUrl = withDatabase(templateUrl, "postgres");
    const name = `test_${randomUUID().replaceAll("-", "")}`;
    await run(adminUrl, `create database ${name} template nexus`);
    return {
      databaseUrl: withDatabase(templateUrl, name),
      async [Symbol.asyncDispose]() {
        await run(adminUrl, `drop database if exists ${name} with (force)`);
        await own?.[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await own?.[Symbol.asyncDispose]();
    throw error;
  }
}
