import { Pool } from "pg";
import type { StoreLog } from "./log.ts";

/** Connections to PostgreSQL. */
export type DatabasePool = Pool;

/**
 * A pool whose connections may break at any time without taking the process down: a query in flight rejects,
 * an idle connection is replaced, and one that is between two statements of a transaction fails its next.
 */
export function createPool(databaseUrl: string, { max, log }: { readonly max: number; readonly log: StoreLog }): DatabasePool {
  const pool = new Pool({
    connectionString: databaseUrl,
    application_name: "cipher-nexus",
    max,
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
