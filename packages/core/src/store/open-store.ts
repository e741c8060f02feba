import { join } from "node:path";
import type { NodePgDatabase } from "drizzle-orm/node-postgres";
import type { Pool } from "pg";
import { type BlobStore, folderBlobStore } from "../blobs/index.ts";
import { NexusError } from "../errors/index.ts";
import { throwIfAborted } from "../lifecycle/index.ts";
import { checkFormat, dataFolderError, makeDataFolder } from "./data-folder.ts";
import { nodePostgres } from "./drizzle.ts";
import { lockDatabase } from "./database-lock.ts";
import { lockFolder } from "./folder-lock.ts";
import { silent, type StoreLog } from "./log.ts";
import { migrateDatabase } from "./migrate.ts";
import { createPool, endPool } from "./pool.ts";
import { openEmbeddedPostgres } from "./postgres/index.ts";
import * as schema from "./schema/index.ts";

const POOL_END_TIMEOUT_MS = 5000;
/** An embedded server takes 64 connections, of which the workflow engine has its part. */
const CONNECTIONS = 12;

/** The database with its tables, for queries and transactions. */
export type Database = NodePgDatabase<typeof schema> & { readonly $client: Pool };
/** What a function that takes part in someone's transaction works with; a `Database` is one as well. */
export type Transaction = Pick<Database, "select" | "selectDistinct" | "insert" | "update" | "delete" | "execute">;

export interface OpenStoreOptions {
  /** The folder that holds everything; made when it is missing. */
  readonly dataDir: string;
  /** A PostgreSQL server to use instead of the embedded one. */
  readonly databaseUrl?: string | undefined;
  /** Gives up opening. */
  readonly signal?: AbortSignal | undefined;
  readonly log?: StoreLog | undefined;
}

/** Everything a coordinator remembers: rows in PostgreSQL, tensors as blobs. One process has it open at a time. */
export interface Store extends AsyncDisposable {
  readonly db: Database;
  readonly pool: Pool;
  /** For engines that keep their own tables in the same database; holds a password, never log it. */
  readonly databaseUrl: string;
  readonly blobs: BlobStore;
  /** Absolute, symbolic links resolved. */
  readonly dataDir: string;
  /** Aborts when another coordinator has taken the database (reason DATA_FOLDER_BUSY): write nothing more, close, end. */
  readonly lost: AbortSignal;
  /** Process id of the embedded PostgreSQL; undefined with a `databaseUrl`, and while it is being restarted. */
  readonly postgresPid: number | undefined;
  /** Lets go of everything, the embedded PostgreSQL included. Idempotent. */
  close(): Promise<void>;
}

/** Undoes what was done, last first, all of it; the first failure is thrown when everything has had its turn. */
async function unwind(undo: (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of undo.reverse()) await step().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/**
 * Opens a data folder: lock, format, database (embedded unless `databaseUrl` names one), its lock, migrations, blobs.
 *
 * @throws DATA_FOLDER_BUSY, DATA_FOLDER_UNUSABLE, DATABASE_FAILED_TO_START, DATABASE_UNAVAILABLE, DATABASE_REFUSED, DISK_FULL
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const { signal, log = silent } = options;
  throwIfAborted(signal);
  const dataDir = await makeDataFolder(options.dataDir);
  const undo: (() => Promise<unknown>)[] = [];
  try {
    const folderLock = await lockFolder(dataDir);
    undo.push(() => folderLock.release());
    await checkFormat(dataDir);

    const embedded = options.databaseUrl === undefined ? await openEmbeddedPostgres({ folder: dataDir, signal, log }) : undefined;
    if (embedded !== undefined) undo.push(() => embedded.close());
    const databaseUrl = options.databaseUrl ?? embedded?.databaseUrl;
    if (databaseUrl === undefined) throw new NexusError("INTERNAL", "The store has neither an embedded database nor the address of one.");

    const lost = new AbortController();
    const onLost = (reason: NexusError): void => {
      log("error", "Another coordinator has taken the database; this one writes nothing more.", reason);
      lost.abort(reason);
    };
    const databaseLock = await lockDatabase(databaseUrl, { signal, log, onLost });
    undo.push(() => databaseLock.release());
    await migrateDatabase(databaseLock.client);

    const pool = createPool(databaseUrl, { max: CONNECTIONS, log });
    undo.push(() => endPool(pool, POOL_END_TIMEOUT_MS));
    const blobs = await folderBlobStore(join(dataDir, "blobs"));
    throwIfAborted(signal);

    let closed: Promise<void> | undefined;
    const close = (): Promise<void> => (closed ??= unwind(undo));
    return {
      db: nodePostgres.drizzle(pool, { schema, casing: "snake_case" }),
      pool,
      databaseUrl,
      blobs,
      dataDir,
      lost: lost.signal,
      get postgresPid() {
        return embedded?.pid;
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await unwind(undo).catch((failure: unknown) => log("warn", "A failed start could not be undone completely.", failure));
    throw dataFolderError(error, dataDir);
  }
}
