import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { Client } from "pg";
import { NexusError } from "../errors/index.ts";
import { sleep, throwIfAborted } from "../lifecycle/index.ts";
import { databaseError } from "./database-error.ts";
import type { StoreLog } from "./log.ts";
import { retrying } from "./retrying.ts";

/** "nexus" in ASCII: the key of the coordinator's advisory lock, one a database. */
const LOCK_KEY = 0x6e65787573;
const POLL_MS = 100;
/** A killed coordinator's session ends a moment after it. */
const TAKE_TIMEOUT_MS = 2000;
/** Our own lost session may linger on the server until it notices. */
const RETAKE_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;

/** A database that is ours alone, by an advisory lock of a session of its own. */
export interface DatabaseLock {
  /** The session that holds the lock now; it changes when the database has been away. */
  readonly client: Client;
  release(): Promise<void>;
}

/** A session that holds the lock. */
interface Holder {
  readonly name: string;
  readonly pid: number;
}

async function connect(databaseUrl: string, name: string, signal: AbortSignal | undefined): Promise<Client> {
  return retrying(
    async () => {
      const client = new Client({
        connectionString: databaseUrl,
        application_name: name,
        connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
        keepAlive: true,
      });
      client.on("error", () => {}); // "end" follows, and is listened to where it matters
      try {
        await client.connect();
        return client;
      } catch (error) {
        await client.end();
        throw error;
      }
    },
    { signal, timeoutMs: CONNECT_TIMEOUT_MS },
  );
}

async function holderOf(client: Client): Promise<Holder | undefined> {
  const { rows } = await client.query<Holder>(
    `select application_name as name, a.pid from pg_locks l join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'advisory' and l.granted and l.database = (select oid from pg_database where datname = current_database())
       and (l.classid::bigint << 32 | l.objid::bigint) = $1`,
    [LOCK_KEY],
  );
  return rows[0];
}

function busy(client: Client, holder: Holder | undefined): NexusError {
  const who = holder === undefined ? "another coordinator" : `${holder.name || "another program"} (database session ${holder.pid})`;
  const message = `The database ${client.database ?? ""} on ${client.host}:${client.port} is in use by ${who}.`;
  return new NexusError("DATA_FOLDER_BUSY", message, { hint: "Stop that coordinator, or give this one another database with DATABASE_URL." });
}

interface TakeOptions {
  /** What our sessions are called; one coordinator's are called the same. */
  readonly name: string;
  readonly timeoutMs: number;
  /** Whether waiting for a holder makes sense. */
  readonly mayEnd: (holder: Holder) => boolean;
  readonly signal: AbortSignal | undefined;
}

/** Connects and takes the lock, or tells who has it. */
async function take(databaseUrl: string, { name, timeoutMs, mayEnd, signal }: TakeOptions): Promise<Client> {
  const client = await connect(databaseUrl, name, signal);
  try {
    const endsAt = performance.now() + timeoutMs;
    for (;;) {
      throwIfAborted(signal);
      const { rows } = await client.query<{ taken: boolean }>("select pg_try_advisory_lock($1) as taken", [LOCK_KEY]);
      if (rows[0]?.taken === true) return client;
      const holder = await holderOf(client);
      if (performance.now() > endsAt || (holder !== undefined && !mayEnd(holder))) throw busy(client, holder);
      await sleep(POLL_MS, { signal });
    }
  } catch (error) {
    await client.end();
    throw databaseError(error);
  }
}

/**
 * Takes a database for this process and keeps it: when the session is lost because the server was restarted, it
 * is taken again.
 *
 * @param onLost - called when another coordinator has the database by then; nothing may be written any more
 * @throws DATA_FOLDER_BUSY naming the session that holds it; DATABASE_UNAVAILABLE
 */
export async function lockDatabase(
  databaseUrl: string,
  options: { readonly signal?: AbortSignal | undefined; readonly log: StoreLog; readonly onLost: (reason: NexusError) => void },
): Promise<DatabaseLock> {
  const { log, onLost } = options;
  const releasing = new AbortController();
  // The last part tells coordinators apart that have the same number in containers of the same name. 63 bytes at most.
  const name = `cipher-nexus coordinator ${process.pid} on ${hostname().slice(0, 16)} ${randomUUID().slice(0, 8)}`;

  const retake = async (): Promise<void> => {
    while (!releasing.signal.aborted) {
      try {
        const mayEnd = (holder: Holder): boolean => holder.name === name;
        watch(await take(databaseUrl, { name, timeoutMs: RETAKE_TIMEOUT_MS, mayEnd, signal: releasing.signal }));
        log("info", "The coordinator's lock on the database is held again.");
        return;
      } catch (error) {
        if (releasing.signal.aborted) return;
        const known = databaseError(error);
        if (known.code === "DATA_FOLDER_BUSY") return onLost(known);
        log("warn", "The database is away; its lock is taken again when it is back.", known);
        await sleep(POLL_MS, { signal: releasing.signal }).catch(() => {}); // releasing ends the loop
      }
    }
  };

  let retaking: Promise<void> = Promise.resolve();
  let client: Client;
  const watch = (taken: Client): void => {
    client = taken;
    taken.once("end", () => {
      if (!releasing.signal.aborted) retaking = retake();
    });
  };
  watch(await take(databaseUrl, { name, timeoutMs: TAKE_TIMEOUT_MS, mayEnd: () => true, signal: options.signal }));

  return {
    get client() {
      return client;
    },
    async release() {
      releasing.abort();
      await retaking;
      await client.end();
    },
  };
}
