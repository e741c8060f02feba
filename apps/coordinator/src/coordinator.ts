import { chmod, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadAggregationKernel } from "@ciphernx/ai/aggregation";
import { createDeliveries, createRunDocumentCache, launchEngine } from "@ciphernx/ai/federation/coordinator";
import { loadKernel } from "@ciphernx/ai/nn";
import { newId } from "@ciphernx/core/ids";
import { createSharedLock, createWaiters } from "@ciphernx/core/lifecycle";
import { openStore, projects, retrying, type Store } from "@ciphernx/core/store";
import { ControlService, NodeService } from "@ciphernx/protocol/proto";
import { createPartialUploads } from "@ciphernx/protocol/wire";
import { startWireServer } from "@ciphernx/protocol/wire/server";
import { eq } from "@ciphernx/core/store/sql";
import { type Logger, pino } from "pino";
import manifest from "../package.json" with { type: "json" };
import { blobEndpoint } from "./blob-endpoint.ts";
import type { CoordinatorContext } from "./context.ts";
import { controlService } from "./control-service.ts";
import { discardStaleUploads, nodeService } from "./node-service.ts";
import { ownerToken } from "./owner-token.ts";
import { createSessions } from "./sessions.ts";
import { createStagedUploads } from "./staged-uploads.ts";

const DEFAULT_PROJECT = "default";
const SWEEP_INTERVAL_MS = 60_000;

export interface CoordinatorOptions {
  /** The data folder: database, blobs, owner token. Made when it is missing. */
  readonly home: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** A loopback name or address. Default 127.0.0.1. */
  readonly host?: string;
  /** A PostgreSQL server to use instead of the embedded one. */
  readonly databaseUrl?: string;
  /** Where log lines (JSON) go. Default: `coordinator.log` in the data folder. */
  readonly log?: Logger;
  /** Gives up starting. */
  readonly signal?: AbortSignal;
}

/** A coordinator that serves. */
export interface Coordinator extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly store: Store;
  /** Aborts when it cannot go on, because another coordinator took the database; then close it and end. */
  readonly lost: AbortSignal;
  /** Stops serving; runs go on with the next start. Idempotent. */
  close(): Promise<void>;
}

/** Where a coordinator of a data folder is found while it runs: `{ url, pid }`. */
export function coordinatorFile(home: string): string {
  return join(home, "coordinator.json");
}

/**
 * Starts a coordinator: opens its store, takes up unfinished runs, serves nodes, clients and blobs on one port.
 * @throws NexusError DATA_FOLDER_BUSY, DATA_FOLDER_UNUSABLE, DATABASE_FAILED_TO_START, PORT_IN_USE, ADDRESS_NOT_LOOPBACK
 */
export async function startCoordinator(options: CoordinatorOptions): Promise<Coordinator> {
  const { home, port, host, databaseUrl, signal } = options;
  await mkdir(home, { recursive: true });
  const log = options.log ?? fileLog(home);
  await using starting = new AsyncDisposableStack();

  const store = await openStore({
    dataDir: home,
    databaseUrl,
    signal,
    log: (level, message, error) => log[level]({ err: error, from: "store" }, message),
  });
  starting.defer(() => store.close());
  const token = await ownerToken(home);
  const projectId = await defaultProject(store);
  const [kernel, training] = await Promise.all([loadAggregationKernel(), loadKernel()]);
  const waiters = createWaiters();
  const blobLock = createSharedLock();
  const sessions = createSessions();
  const uploads = createStagedUploads();
  const partialUploads = createPartialUploads();
  starting.defer(() => partialUploads.close());
  const closing = new AbortController();
  store.lost.addEventListener("abort", () => closing.abort(store.lost.reason));

  const engine = await launchEngine({
    ...{ store, kernel, waiters, blobLock, closing: closing.signal },
    absent: (nodeId) => sessions.absent(nodeId),
    log: (level, message, details) => log[level](details ?? {}, message),
  });
  starting.defer(async () => {
    closing.abort();
    await engine.close();
  });

  const documents = createRunDocumentCache(store);
  const context: CoordinatorContext = {
    ...{ store, engine, documents, deliveries: createDeliveries(store, documents), kernel, waiters, blobLock, sessions, projectId, log },
    ...{ uploads, partialUploads },
    kernelBuild: training.build,
    ownerToken: token,
    version: manifest.version,
    startedAt: new Date(),
  };
  const server = await startWireServer({
    ...(host === undefined ? {} : { host }),
    port,
    routes: (router) => {
      router.service(NodeService, nodeService(context));
      router.service(ControlService, controlService(context));
    },
    blobs: blobEndpoint(context),
    log,
  });
  starting.defer(() => server.close());
  await writeWhole(coordinatorFile(home), `${JSON.stringify({ url: server.url, pid: process.pid })}\n`);
  starting.defer(() => rm(coordinatorFile(home), { force: true }));

  const sweep = setInterval(() => {
    discardStaleUploads(context).catch((error: unknown) =>
      log.warn({ err: error }, "Stale uploads could not be discarded; the next sweep tries again."),
    );
  }, SWEEP_INTERVAL_MS);
  starting.defer(() => clearInterval(sweep));

  log.info({ url: server.url, kernelBuild: training.build }, `coordinator listens on ${server.url}`);
  const running = starting.move();
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= running.disposeAsync());
  return { url: server.url, port: server.port, store, lost: store.lost, close, [Symbol.asyncDispose]: close };
}

async function defaultProject(store: Store): Promise<string> {
  return retrying(async () => {
    await store.db
      .insert(projects)
      .values({ id: newId("project"), name: DEFAULT_PROJECT })
      .onConflictDoNothing();
    const [row] = await store.db.select({ id: projects.id }).from(projects).where(eq(projects.name, DEFAULT_PROJECT));
    return row!.id;
  });
}

function fileLog(home: string): Logger {
  return pino(
    { base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: join(home, "coordinator.log"), sync: true, mkdir: true }),
  );
}

async function writeWhole(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.draft`;
  await writeFile(draft, text);
  await chmod(draft, 0o644);
  await rename(draft, path);
}
