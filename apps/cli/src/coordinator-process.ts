import { spawn } from "node:child_process";
import { mkdir, open, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { OidcOptions, PublicAddress, TlsOptions } from "@ciphernx/coordinator";
import { isErrorCode, NexusError } from "@ciphernx/core/errors";
import { sleep } from "@ciphernx/core/lifecycle";
import { collectBulkMemory } from "@ciphernx/core/process";
import type { Context } from "./context.ts";
import { endsWithParent } from "./parent.ts";
import { startTracing } from "./tracing/start-tracing.ts";

/** How a coordinator is to be started, as written on the command line. */
export interface UpOptions {
  readonly port: number;
  readonly host: string | undefined;
  readonly listen: string | undefined;
  readonly publicName: string | undefined;
  readonly caPassphraseFile: string | undefined;
  readonly caCert: string | undefined;
  readonly caKey: string | undefined;
  readonly rotateCa: boolean;
  readonly oidcIssuer: string | undefined;
  readonly oidcClientId: string | undefined;
  readonly oidcClientSecretFile: string | undefined;
  readonly databaseUrl: string | undefined;
  readonly exitWithParent: boolean;
}

type Edges = Pick<Context, "global" | "output" | "signal">;

/** Where a coordinator answers. */
interface Started {
  readonly url: string;
  /** Where other machines reach it, and what they trust; undefined without --listen. */
  readonly tls?: PublicAddress | undefined;
  readonly home: string;
  readonly processId: number;
  /** Makes the first owner, once; undefined when there is one. */
  readonly ownerLink?: string | undefined;
}

const STOP_TIMEOUT_MS = 60_000;
const LOOK_EVERY_MS = 50;
/** What a background coordinator says before its own log begins. */
const BACKGROUND_LOG = "up.log";
/** The file by which a data folder is known. */
const FORMAT_FILE = "format.json";

/** Runs a coordinator in this process until it is told to stop. */
export async function runCoordinator(options: UpOptions, { global: { home }, output, signal }: Edges): Promise<void> {
  collectBulkMemory();
  const { port, host, databaseUrl, exitWithParent } = options;
  const tls = tlsOptions(options);
  const oidc = oidcOptions(options);
  const stop = exitWithParent ? endsWithParent(signal) : signal;
  const { startCoordinator } = await import("@ciphernx/coordinator");
  const database = databaseUrl ?? process.env["DATABASE_URL"];
  await using tracing = await startTracing({
    ...{ env: process.env, serviceName: "nexus-coordinator" },
    note: (text) => output.note(text),
  });
  await using coordinator = await startCoordinator({
    tracer: tracing.tracer,
    home,
    port,
    ...(host === undefined ? {} : { host }),
    ...(tls === undefined ? {} : { tls }),
    ...(oidc === undefined ? {} : { oidc }),
    ...(database === undefined || database === "" ? {} : { databaseUrl: database }),
    signal: stop,
  });
  // Into a terminal, or for the program that asked; what a service prints is kept in journals that more people read than may own the project.
  const showsLink = process.stdout.isTTY || output.mode !== "people";
  const started: Started = {
    url: coordinator.url,
    tls: coordinator.tls,
    home,
    processId: process.pid,
    ...(showsLink ? { ownerLink: await coordinator.firstOwnerLink() } : {}),
  };
  output.result({
    data: started,
    text: `${greeting(started)}\nCtrl-C stops it; runs go on where they were when it is started again.`,
    ids: [coordinator.url],
  });
  await aborted(AbortSignal.any([stop, coordinator.lost]));
  coordinator.lost.throwIfAborted();
}

/** Starts a coordinator that outlives this process, and returns when it answers. */
export async function startDetached(options: UpOptions, { global: { home }, output, signal }: Edges): Promise<void> {
  if (options.exitWithParent) {
    throw new NexusError("USAGE", "--detach and --exit-with-parent contradict each other.", { hint: "Leave one of them out." });
  }
  await mkdir(home, { recursive: true });
  await using log = await open(join(home, BACKGROUND_LOG), "a");
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...upArguments(options, home)], {
    detached: true,
    stdio: ["ignore", "pipe", log.fd],
  });
  const { stdout } = child;
  if (stdout === null) throw new NexusError("INTERNAL", "The background process has no standard output.");
  const give = (): void => void child.kill("SIGTERM");
  signal.addEventListener("abort", give);
  try {
    const lines = createInterface({ input: stdout });
    const answer = await new Promise<string | undefined>((resolve, reject) => {
      lines.once("line", resolve);
      lines.once("close", () => resolve(undefined));
      child.once("error", reject);
    });
    signal.throwIfAborted();
    const started = parseAnswer(answer, join(home, BACKGROUND_LOG));
    output.result({ data: started, text: `${greeting(started)}\n\`nexus down\` stops it.`, ids: [started.url] });
  } finally {
    signal.removeEventListener("abort", give);
    stdout.destroy();
    child.unref();
  }
}

/** Stops the coordinator of the data folder, if one runs, and deletes the folder where that is asked for. */
export async function stopCoordinator(
  { purge }: { readonly purge: boolean },
  { global: { home }, output, signal, confirm }: Edges & Pick<Context, "confirm">,
): Promise<void> {
  if (purge) {
    if (!(await isDataFolder(home)))
      throw new NexusError("DATA_FOLDER_UNUSABLE", `${home} is no data folder of a coordinator, so it is not deleted.`, {
        hint: "Name the folder with --home.",
      });
    await confirm(`Delete ${home} with every run, model and token in it?`);
  }
  const { folderHolder } = await import("@ciphernx/core/store");
  const processId = await folderHolder(home);
  if (processId !== undefined) {
    process.kill(processId, "SIGTERM");
    const deadline = performance.now() + STOP_TIMEOUT_MS;
    while ((await folderHolder(home)) === processId) {
      if (performance.now() > deadline) {
        throw new NexusError(
          "TIMEOUT",
          `The coordinator of ${home} (process ${processId}) has not stopped within ${STOP_TIMEOUT_MS / 1000} seconds.`,
          {
            hint: `\`kill -9 ${processId}\` ends it; nothing that was acknowledged is lost.`,
          },
        );
      }
      await sleep(LOOK_EVERY_MS, { signal });
    }
  }
  if (purge) await rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  const text = [
    processId === undefined ? `No coordinator was running on ${home}.` : `Stopped the coordinator of ${home}.`,
    ...(purge ? [`Deleted ${home}.`] : []),
  ].join("\n");
  output.result({ data: { home, stopped: processId !== undefined, purged: purge }, text, ids: [] });
}

function upArguments(options: UpOptions, home: string): readonly string[] {
  const { port, host, databaseUrl, listen, publicName, caPassphraseFile, caCert, caKey, rotateCa } = options;
  const { oidcIssuer, oidcClientId, oidcClientSecretFile } = options;
  const optional: readonly (readonly [string, string | undefined])[] = [
    ["--host", host],
    ["--database-url", databaseUrl],
    ["--listen", listen],
    ["--public-name", publicName],
    ["--ca-passphrase-file", caPassphraseFile],
    ["--ca-cert", caCert],
    ["--ca-key", caKey],
    ["--oidc-issuer", oidcIssuer],
    ["--oidc-client-id", oidcClientId],
    ["--oidc-client-secret-file", oidcClientSecretFile],
  ];
  const written = optional.flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
  return ["up", "--json", "--home", home, "--port", String(port), ...written, ...(rotateCa ? ["--rotate-ca"] : [])];
}

function greeting({ url, home, tls, ownerLink }: Started): string {
  const lines = [`Coordinator on ${url}, data folder ${home}.`];
  if (tls !== undefined) {
    lines.push(`Other machines reach it on ${tls.url}; clients there trust it by a copy of ${tls.certificateFile} (--ca).`);
    if (tls.madePassphrase !== undefined) {
      lines.push(
        `The key of its CA is sealed with a passphrase in ${tls.madePassphrase}: whoever can read both can act as the CA. --ca-passphrase-file keeps it elsewhere.`,
      );
    }
  }
  if (ownerLink !== undefined) {
    lines.push(
      "Nobody owns the project in a browser yet. This link, good once and for a day, makes whoever opens it on this machine the owner:",
      ownerLink,
    );
  }
  return [...lines, "`nexus node token` makes a token with which a node can join."].join("\n");
}

/** What the options say of TLS; undefined without --listen. @throws NexusError USAGE */
function tlsOptions({ listen, publicName, caPassphraseFile, caCert, caKey, rotateCa }: UpOptions): TlsOptions | undefined {
  if (listen === undefined) {
    if (publicName === undefined && !rotateCa && caPassphraseFile === undefined && caCert === undefined && caKey === undefined) return undefined;
    throw new NexusError("USAGE", "Without --listen nothing is served over TLS, so there is no use for names and CAs.", {
      hint: "Add, for example, --listen 0.0.0.0:7701.",
    });
  }
  const [, host, port] = /^(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(listen) ?? [];
  if (host === undefined || port === undefined) {
    throw new NexusError("USAGE", `--listen "${listen}" is no address with a port.`, { hint: "Write it as 0.0.0.0:7701 or [::]:7701." });
  }
  if ((caCert === undefined) !== (caKey === undefined)) throw new NexusError("USAGE", "--ca-cert and --ca-key belong together.", { hint: "" });
  return {
    listen: { host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port) },
    publicNames: publicName?.split(",").map((name) => name.trim()),
    passphraseFile: caPassphraseFile,
    own: caCert === undefined || caKey === undefined ? undefined : { certificateFile: caCert, keyFile: caKey },
    rotate: rotateCa,
  };
}

/** What the options say of an OpenID provider; undefined without one. @throws NexusError USAGE */
function oidcOptions({ oidcIssuer: issuer, oidcClientId: clientId, oidcClientSecretFile: clientSecretFile }: UpOptions): OidcOptions | undefined {
  if (issuer === undefined && clientId === undefined && clientSecretFile === undefined) return undefined;
  if (issuer !== undefined && clientId !== undefined && clientSecretFile !== undefined) return { issuer, clientId, clientSecretFile };
  throw new NexusError("USAGE", "--oidc-issuer, --oidc-client-id and --oidc-client-secret-file belong together.", { hint: "" });
}

/** The first line of `nexus up --json`: where it answers, or why it does not. */
function parseAnswer(line: string | undefined, log: string): Started {
  const envelope =
    line === undefined
      ? undefined
      : (JSON.parse(line) as {
          readonly data?: Started;
          readonly error?: { readonly code: string; readonly message: string; readonly hint: string };
        });
  if (envelope?.data !== undefined) return envelope.data;
  const { code, message, hint } = envelope?.error ?? {
    code: "INTERNAL",
    message: "The coordinator ended before it answered.",
    hint: `Its last words are in ${log}.`,
  };
  throw new NexusError(isErrorCode(code) ? code : "INTERNAL", message, { hint });
}

async function isDataFolder(home: string): Promise<boolean> {
  return stat(join(home, FORMAT_FILE)).then(
    () => true,
    () => false,
  );
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
