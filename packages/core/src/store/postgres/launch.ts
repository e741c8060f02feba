import { open, stat } from "node:fs/promises";
import { NexusError } from "../../errors/index.ts";
import { sleep, throwIfAborted } from "../../lifecycle/index.ts";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { type Cluster, postgresFailed } from "./cluster.ts";
import { endsWithin, readPostmaster, send } from "./postmaster-file.ts";
import { serverArguments } from "./server-settings.ts";
import { type GuardedServer, startGuarded } from "./watchdog.ts";

const POLL_MS = 10;
/** A crashed server replays at most max_wal_size before it is ready; this is many times what that takes. */
const READY_TIMEOUT_MS = 120_000;
const LAST_WORDS_BYTES = 8192;

/** What the server has written to its log since a position. */
async function saidSince(logFile: string, position: number): Promise<string> {
  try {
    await using file = await open(logFile, "r");
    const { size } = await file.stat();
    const from = Math.max(position <= size ? position : 0, size - LAST_WORDS_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    return buffer.toString("utf8", 0, bytesRead);
  } catch {
    return ""; // a server that wrote no log said nothing
  }
}

/** Asks a server to end, more firmly when it does not; resolves when it has ended. */
export async function shutDown(server: GuardedServer): Promise<void> {
  server.release();
  if (!(await endsWithin(server.pid, 10_000)) && send(server.pid, "SIGQUIT") && !(await endsWithin(server.pid, 5000))) send(server.pid, "SIGKILL");
  await server.ended;
}

export interface LaunchOptions {
  readonly binaries: Binaries;
  readonly cluster: Cluster;
  readonly account: Account | undefined;
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}

/**
 * Starts the server on a cluster that nobody serves and waits until it takes connections.
 *
 * @throws DATABASE_FAILED_TO_START, DISK_FULL with the server's last words
 */
export async function launch(options: LaunchOptions): Promise<GuardedServer> {
  const { binaries, cluster, account, port, settings, signal } = options;
  throwIfAborted(signal);
  const logStart = await stat(cluster.logFile).then(
    (found) => found.size,
    () => 0,
  );
  const server = await startGuarded(binaries.postgres, serverArguments(cluster.data, port, settings), cluster.logFile, account);
  if (server === undefined) throw new NexusError("DATABASE_FAILED_TO_START", "The shell that watches over PostgreSQL did not start.");

  let hasEnded = false;
  void server.ended.then(() => (hasEnded = true));
  const startedAt = performance.now();
  try {
    for (;;) {
      const postmaster = await readPostmaster(cluster.data);
      if (postmaster?.pid === server.pid && postmaster.status === "ready") return server;
      if (hasEnded) throw postgresFailed(`PostgreSQL did not start in ${cluster.data}`, await saidSince(cluster.logFile, logStart));
      if (performance.now() - startedAt > READY_TIMEOUT_MS) {
        throw postgresFailed(`PostgreSQL was not ready after ${READY_TIMEOUT_MS / 1000} seconds`, await saidSince(cluster.logFile, logStart));
      }
      await sleep(POLL_MS, { signal });
    }
  } catch (error) {
    await shutDown(server);
    throw error;
  }
}
