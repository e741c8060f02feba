/**
 * Runs once for a whole vitest run: lends all test files one PostgreSQL server, started when the first of them
 * asks for it, so that runs without a database pay nothing. A connection to the port gets the server's address.
 *
 * @module
 */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { startTemplateServer, type TemplateServer } from "./template-server.ts";
import { LENDER_PORT_VARIABLE } from "./test-database.ts";

/** What vitest calls before the first test file; what it returns is called after the last. */
export default async function setup(): Promise<() => Promise<void>> {
  let started: Promise<TemplateServer> | undefined;
  const lender = createServer((socket) => {
    socket.on("error", () => {}); // a test file that went away does not wait for the answer
    started ??= startTemplateServer();
    started.then(
      (server) => socket.end(JSON.stringify({ databaseUrl: server.databaseUrl })),
      (error: unknown) => socket.end(JSON.stringify({ error: error instanceof Error ? error.message : String(error) })),
    );
  });
  lender.listen(0, "127.0.0.1");
  await once(lender, "listening");
  process.env[LENDER_PORT_VARIABLE] = String((lender.address() as AddressInfo).port);

  return async () => {
    await new Promise((closed) => lender.close(closed));
    await (await started?.catch(() => undefined))?.[Symbol.asyncDispose]();
  };
}
