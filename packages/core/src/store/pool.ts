import { Pool } from "pg";
import type { StoreLog } from "./log.ts";

/**
 * A pool whose connections may break at any time without taking the process down: a query in flight rejects,
 * an idle connection is replaced, and one that is between two statements of a transaction fails its next.
 */
export function createPool(databaseUrl: string, log: StoreLog): Pool {
  const pool = new Pool({
    connectionString: databaseUrl,
    application_name: "cipher-nexus",
    // An embedded server takes 64 connections, of which the workflow engine has its part.
    max: 12,
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
  });
  pool.on("error", (error) => log("info", "An idle database connection broke and is replaced.", error));
  // While a connection is lent out, the pool itself does not listen to it.
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

/** Ends a pool, not waiting longer than `timeoutMs` for those who have not given a connection back. */
export async function endPool(pool: Pool, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([pool.end(), late]);
  clearTimeout(timer);
}
