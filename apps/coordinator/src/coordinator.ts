import { chmod, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadAggregationKernel } from "@ciphernx/ai/aggregation";
import { createDeliveries, createRunDocumentCache, createSumViews, launchEngine } from "@ciphernx/ai/federation/coordinator";
import { createRoundTraces } from "@ciphernx/ai/federation/tracing";
import { loadKernel } from "@ciphernx/ai/nn";
import { createAttemptLimit } from "@ciphernx/core/identity";
import { newId } from "@ciphernx/core/ids";
import { nodeSecAgg } from "@ciphernx/crypto/secagg/node";
import { createSharedLock, createWaiters } from "@ciphernx/core/lifecycle";
import { openStore, projects, retrying, type Store } from "@ciphernx/core/store";
import { ControlService, NodeService, RosterService } from "@ciphernx/protocol/proto";
import { createPartialUploads } from "@ciphernx/protocol/wire";
import { startWireServer, type WireServer } from "@ciphernx/protocol/wire/server";
import type { Tracer } from "@opentelemetry/api";
import { eq } from "@ciphernx/core/store/sql";
import { type Logger, pino } from "pino";
import manifest from "../package.json" with { type: "json" };
import { createAccess } from "./access.ts";
import { auditKey } from "./audit/audit-key.ts";
import { createAuditLog } from "./audit/audit-log.ts";
import { blobEndpoint } from "./blob-endpoint.ts";
import type { CoordinatorContext } from "./context.ts";
import { controlService } from "./control-service.ts";
import { discardStaleUploads, nodeService } from "./node-service.ts";
import { ownerToken } from "./owner-token.ts";
import { guarded } from "./guarded.ts";
import { createLog, redactingLog } from "./log.ts";
import { projectRoster } from "./roster.ts";
import { rosterService } from "./roster-service.ts";
import { createMetrics, sites } from "./metrics/metrics.ts";
import { createPeople, type OidcOptions } from "./people/index.ts";
import { createSessions } from "./sessions.ts";
import { createSignatureCheck } from "./signatures/check-signature.ts";
import { isSignedByItsNode } from "./signatures/signature-gate.ts";
import { createStagedUploads } from "./staged-uploads.ts";
import type { TlsOptions } from "./tls/open-tls.ts";

const DEFAULT_PROJECT = "default";
const SWEEP_INTERVAL_MS = 60_000;
const CERTIFICATE_CHECK_MS = 3_600_000;

export interface CoordinatorOptions {
  /** The data folder: database, blobs, owner token. Made when it is missing. */
  readonly home: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** A loopback name or address. Default 127.0.0.1. */
  readonly host?: string;
  /** Serves other machines as well, over TLS. */
  readonly tls?: TlsOptions;
  /** A PostgreSQL server to use instead of the embedded one. */
  readonly databaseUrl?: string;
  /** Where log lines (JSON) go. Default: `coordinator.log` in the data folder. */
  readonly log?: Logger;
  /** Wrong secrets that one address may send in a minute; further ones are told RATE_LIMITED. Default 20. */
  readonly wrongSecretsPerMinute?: number;
  /** An OpenID provider by which people may sign in. */
  readonly oidc?: OidcOptions;
  /** Traces rounds. Default: nothing is traced. */
  readonly tracer?: Tracer | undefined;
  /** Gives up starting. */
  readonly signal?: AbortSignal;
}

/** A coordinator that serves. */
export interface Coordinator extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Where other machines reach it, and what makes them trust it; undefined without TLS. */
  readonly tls: PublicAddress | undefined;
  readonly store: Store;
  /** Aborts when it cannot go on, because another coordinator took the database; then close it and end. */
  readonly lost: AbortSignal;
  /**
   * A link, good for a day and for one use, that makes the first owner; undefined when somebody is. Each is in place of the one before.
   * Always `localhost`: it is opened on this machine, where passkeys take no other name for it.
   */
  firstOwnerLink(): Promise<string | undefined>;
  /** Stops serving; runs go on with the next start. Idempotent. */
  close(): Promise<void>;
}

/** How other machines reach a coordinator. */
export interface PublicAddress {
  /** For example `https://hospital.example:7701`. */
  readonly url: string;
  /** The certificate of its CA, for people to copy. */
  readonly certificateFile: string;
  /** Where a passphrase for the CA's key was made because none was given. */
  readonly madePassphrase?: string;
}

/** Where a coordinator of a data folder is found while it runs: `{ url, pid }`. */
export function coordinatorFile(home: string): string {
  return join(home, "coordinator.json");
}

/**
 * Starts a coordinator: opens its store, takes up unfinished runs, serves nodes, clients and blobs on one port.
 * @throws NexusError DATA_FOLDER_BUSY, DATA_FOLDER_UNUSABLE, DATABASE_FAILED_TO_START, PORT_IN_USE, ADDRESS_NOT_LOOPBACK, CA_UNUSABLE
 */
export async function startCoordinator(options: CoordinatorOptions): Promise<Coordinator> {
  const { home, port, host, databaseUrl, wrongSecretsPerMinute = 20, signal } = options;
  await mkdir(home, { recursive: true });
  const log = options.log === undefined ? fileLog(home) : redactingLog(options.log);
  await using starting = new AsyncDisposableStack();

  const store = await openStore({
    dataDir: home,
    databaseUrl,
    signal,
    log: (level, message, error) => log[level]({ err: error, from: "store" }, message),
  });
  starting.defer(() => store.close());
  const token = await ownerToken(home);
  // Loaded where it is wanted: what reads certificates takes a while.
  const tls = options.tls === undefined ? undefined : await (await import("./tls/open-tls.ts")).openTls(home, options.tls, log);
  const projectId = await defaultProject(store);
  const [kernel, training, secAgg] = await Promise.all([loadAggregationKernel(), loadKernel(), nodeSecAgg()]);
  const waiters = createWaiters();
  const blobLock = createSharedLock();
  const sessions = createSessions();
  const uploads = createStagedUploads();
  const partialUploads = createPartialUploads();
  starting.defer(() => partialUploads.close());
  const closing = new AbortController();
  store.lost.addEventListener("abort", () => closing.abort(store.lost.reason));

  const traces = createRoundTraces(options.tracer);
  const documents = createRunDocumentCache(store);
  const sumViews = createSumViews(store);
  const engine = await launchEngine({
    ...{ store, kernel, secAgg, sumViews, waiters, documents, blobLock, closing: closing.signal, traces },
    absent: (nodeId) => sessions.absent(nodeId),
    log: (level, message, details) => log[level](details ?? {}, message),
  });
  starting.defer(async () => {
    closing.abort();
    await engine.close();
    traces.close();
  });

  const limit = createAttemptLimit({ perMinute: wrongSecretsPerMinute });
  const audit = createAuditLog(store, { projectId, key: await auditKey(home) });
  const people = createPeople({
    ...{ store, audit, home, projectId, projectName: DEFAULT_PROJECT, limit, log, oidc: options.oidc },
    endCalls: (key, reason) => access.endCalls(key, reason),
  });
  const access = createAccess({ store, sessions, people, limit, ownerToken: token, projectId });
  if (options.tls?.rotate === true && tls !== undefined)
    await audit.note({ actor: "coordinator", action: "ca-replaced", subject: tls.authority.fingerprint });
  const gate =
    tls === undefined ? undefined : (await import("./tls/node-gate.ts")).createNodeGate({ sessions, trustDomain: tls.authority.trustDomain });
  /** Made with the context, which asks it back. */
  const made: { server?: WireServer } = {};
  const publicUrl = (): string => `https://${bracketed(tls?.publicName ?? "")}:${made.server?.tls?.port ?? 0}`;
  const context: CoordinatorContext = {
    ...{
      store,
      engine,
      documents,
      deliveries: createDeliveries(store, documents),
      kernel,
      secAgg,
      sumViews,
      waiters,
      blobLock,
      sessions,
      projectId,
      log,
    },
    ...{ uploads, partialUploads, traces },
    kernelBuild: training.build,
    access,
    audit,
    roster: projectRoster(store, projectId, audit),
    invitationLinks: (secret) => ({
      local: pageLink(`http://localhost:${made.server?.port ?? 0}`, secret),
      public: tls === undefined ? undefined : pageLink(publicUrl(), secret),
    }),
    tls: tls === undefined ? undefined : { authority: tls.authority, publicUrl },
    hangUp: (nodeId) => made.server?.tls?.endConnections((peer) => gate?.belongsTo(peer, nodeId) === true),
    version: manifest.version,
    startedAt: new Date(),
  };
  const metrics = createMetrics({ store, projectId, access, sessions, version: manifest.version });
  const server = await startWireServer({
    ...(host === undefined ? {} : { host }),
    port,
    routes: (router) => {
      router.service(NodeService, guarded(NodeService, nodeService(context), access));
      router.service(ControlService, guarded(ControlService, controlService(context), access));
      router.service(RosterService, guarded(RosterService, rosterService(context), access));
    },
    blobs: blobEndpoint(context),
    log,
    session: people.sessionOf,
    site: sites(people.site, metrics.site),
    observe: metrics.observe,
    ...(tls === undefined ? {} : { tls: { ...tls.listen, credentials: tls.credentials } }),
    checkSignature: createSignatureCheck({ store, sessions, names: tls?.names ?? [] }),
    admit({ peer, ...call }) {
      if (isSignedByItsNode(sessions, call) || peer === undefined) return;
      gate?.admit({ peer, ...call });
    },
  });
  made.server = server;
  starting.defer(() => server.close());
  const { url } = server;
  const address: PublicAddress | undefined =
    tls === undefined
      ? undefined
      : {
          url: publicUrl(),
          certificateFile: tls.certificateFile,
          ...(tls.madePassphrase === undefined ? {} : { madePassphrase: tls.madePassphrase }),
        };
  const file = { url, pid: process.pid, ...(address === undefined ? {} : { publicUrl: address.url }) };
  await writeWhole(coordinatorFile(home), `${JSON.stringify(file)}\n`);
  starting.defer(() => rm(coordinatorFile(home), { force: true }));

  const sweep = setInterval(() => {
    discardStaleUploads(context).catch((error: unknown) =>
      log.warn({ err: error }, "Stale uploads could not be discarded; the next sweep tries again."),
    );
  }, SWEEP_INTERVAL_MS);
  starting.defer(() => clearInterval(sweep));
  const listener = server.tls;
  if (tls !== undefined && listener !== undefined) {
    const check = setInterval(() => {
      tls
        .renew(listener)
        .catch((error: unknown) => log.error({ err: error }, "The server's certificate could not be renewed; the next check tries again."));
    }, CERTIFICATE_CHECK_MS);
    starting.defer(() => clearInterval(check));
  }

  log.info({ url, publicUrl: address?.url, kernelBuild: training.build }, `coordinator listens on ${url}`);
  const running = starting.move();
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= running.disposeAsync());
  return {
    ...{ url, port: server.port, tls: address, store, lost: store.lost },
    async firstOwnerLink() {
      const secret = await people.firstOwnerSecret();
      return secret === undefined ? undefined : context.invitationLinks(secret).local;
    },
    ...{ close, [Symbol.asyncDispose]: close },
  };
}

/** Where somebody takes an invitation up. Behind the `#`, the secret reaches no server and no log. */
function pageLink(url: string, secret: string): string {
  return `${url}/#invitation=${secret}`;
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
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
  return createLog(pino.destination({ dest: join(home, "coordinator.log"), sync: true, mkdir: true }));
}

async function writeWhole(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.draft`;
  await writeFile(draft, text);
  await chmod(draft, 0o644);
  await rename(draft, path);
}
