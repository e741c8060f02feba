import { chmod, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { NexusError, toNexusError } from "../../errors/index.ts";
import { sleep } from "../../lifecycle/index.ts";
import { retrying } from "../retrying.ts";
import { silent, type StoreLog } from "../log.ts";
import { type Account, databaseAccount } from "./account.ts";
import { locatePackage, prepareBinaries } from "./binaries.ts";
import { clusterPaths, openCluster, ROLE } from "./cluster.ts";
import { networkMountOf } from "./file-system.ts";
import { launch, type LaunchOptions, shutDown } from "./launch.ts";
import { freeLoopbackPort } from "./loopback-port.ts";
import { stopOrphan } from "./postmaster-file.ts";
import { firstUnreachable } from "./reach.ts";
import type { GuardedServer } from "./watchdog.ts";

const DATABASE = "nexus";
const PORT_ATTEMPTS = 5;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;

/** A PostgreSQL server of our own, restarted when it dies, gone when we are. */
export interface EmbeddedPostgres extends AsyncDisposable {
  /** The address of the database `nexus`, password included; the same until it is closed. */
  readonly databaseUrl: string;
  /** Process id of the server that runs now; undefined while it is being restarted. */
  readonly pid: number | undefined;
  /** Stops the server. Idempotent. */
  close(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** An existing folder; the server's files go into `postgres/` below it. */
  readonly folder: string;
  /** PostgreSQL settings that differ from the usual, for tests and special machines. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly log?: StoreLog | undefined;
}

/** Refuses a folder where PostgreSQL's files would not be safe, or that its account cannot enter. */
async function checkFolder(folder: string, account: Account | undefined): Promise<void> {
  const mount = await networkMountOf(folder);
  if (mount !== undefined) {
    throw new NexusError(
      "DATA_FOLDER_UNUSABLE",
      `The data folder ${folder} lies on a network mount (${mount.type} at ${mount.mountPoint}), where a database may lose data.`,
      {
        hint: "Choose a folder on a local disk with --home, or set DATABASE_URL to a server elsewhere.",
        details: { dataDir: folder, mount: mount.mountPoint, type: mount.type },
      },
    );
  }
  if (account === undefined) return;
  // The folder itself is ours to open for passing through (its files keep their own permissions); those above are not.
  await chmod(folder, (await stat(folder)).mode | 0o011);
  const closed = await firstUnreachable(folder, account);
  if (closed === undefined) return;
  throw new NexusError(
    "DATA_FOLDER_UNUSABLE",
    `PostgreSQL runs as the user ${account.name}, who may not enter ${closed}, so ${folder} cannot be the data folder.`,
    {
      hint: `Choose another folder with --home, allow passing through (chmod o+x ${closed}), or start the coordinator as an ordinary user.`,
      details: { dataDir: folder, folder: closed, user: account.name },
    },
  );
}

function urlOf(database: string, port: number, password: string): string {
  return `postgresql://${ROLE}:${password}@127.0.0.1:${port}/${database}?sslmode=disable`;
}

/** Starts on a free port; another program may take it between the look and the start, then on another. */
async function launchOnFreePort(options: Omit<LaunchOptions, "port">): Promise<{ server: GuardedServer; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freeLoopbackPort();
    try {
      return { server: await launch({ ...options, port }), port };
    } catch (error) {
      if (attempt === PORT_ATTEMPTS || !/Address already in use/.test(toNexusError(error).message)) throw error;
    }
  }
}

async function createDatabase(port: number, password: string, signal: AbortSignal | undefined): Promise<void> {
  await retrying(
    async () => {
      const client = new Client({ connectionString: urlOf("postgres", port, password) });
      client.on("error", () => {}); // the query in flight rejects as well
      try {
        await client.connect();
        const { rowCount } = await client.query("select 1 from pg_database where datname = $1", [DATABASE]);
        if (rowCount === 0) await client.query(`create database ${DATABASE}`);
      } finally {
        await client.end();
      }
    },
    { signal },
  );
}

/**
 * Opens the embedded PostgreSQL of a data folder: creates it the first time, stops what an earlier owner left
 * running, starts it on a random port of 127.0.0.1 with a random password, and restarts it when it dies.
 *
 * @throws DATA_FOLDER_UNUSABLE, DATABASE_FAILED_TO_START, DISK_FULL
 */
export async function openEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { settings = {}, signal, log = silent } = options;
  const folder = await realpath(options.folder);
  const home = join(folder, "postgres");
  const ownerUid = await stat(clusterPaths(home).data).then(
    (found) => found.uid,
    () => undefined,
  );
  const account = await databaseAccount(ownerUid);
  await checkFolder(folder, account);
  const binaries = await prepareBinaries(await locatePackage(), folder, account);

  const orphan = await stopOrphan(clusterPaths(home).data);
  if (orphan !== undefined) log("warn", `Stopped PostgreSQL (process ${orphan}), which an earlier coordinator had left running.`);
  const cluster = await openCluster(home, { binaries, account, durable: settings["fsync"] !== "off", signal });
  const launching = { binaries, cluster, account, settings };
  const { server, port } = await launchOnFreePort({ ...launching, signal });
  try {
    await createDatabase(port, cluster.password, signal);
  } catch (error) {
    await shutDown(server);
    throw error;
  }
  log("info", `PostgreSQL listens on 127.0.0.1:${port} (process ${server.pid}).`);

  const closing = new AbortController();
  let running: GuardedServer | undefined = server;

  const restart = async (): Promise<GuardedServer | undefined> => {
    for (let pauseMs = FIRST_PAUSE_MS; !closing.signal.aborted; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
      try {
        await stopOrphan(cluster.data);
        const again = await launch({ ...launching, port, signal: closing.signal });
        log("info", `PostgreSQL is back (process ${again.pid}).`);
        return again;
      } catch (error) {
        if (closing.signal.aborted) return undefined;
        // After a kill the last backends may need a moment to notice; a full disk may be given space.
        log("warn", `PostgreSQL did not come back, trying again in ${pauseMs} ms.`, error);
        await sleep(pauseMs, { signal: closing.signal }).catch(() => {}); // closing ends the loop
      }
    }
    return undefined;
  };

  const supervised = (async () => {
    while (running !== undefined) {
      await running.ended;
      const { pid } = running;
      running = undefined;
      if (closing.signal.aborted) return;
      log("warn", `PostgreSQL (process ${pid}) has ended unexpectedly and is restarted.`);
      running = await restart();
      if (running !== undefined && closing.signal.aborted) await shutDown(running);
    }
  })();

  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= (async () => {
      closing.abort();
      if (running !== undefined) await shutDown(running);
      await supervised;
      await stopOrphan(cluster.data);
    })();
    return closed;
  };

  return {
    databaseUrl: urlOf(DATABASE, port, cluster.password),
    get pid() {
      return running?.pid;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
