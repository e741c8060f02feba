import { randomBytes, randomUUID } from "node:crypto";
import { chown, lchown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { syncFolder } from "../../blobs/folder-staged-blob.ts";
import { NexusError } from "../../errors/index.ts";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { runToEnd } from "./child-process.ts";

/** The role that owns everything in an embedded server. */
export const ROLE = "nexus";

/** How the names of clusters that are not whole yet begin. */
const DRAFT = "data.new-";

/** The files of one embedded server, all in one folder that belongs to the database's account. */
export interface Cluster {
  /** PGDATA. */
  readonly data: string;
  readonly logFile: string;
  readonly password: string;
}

/** Paths in an embedded server's folder. */
export function clusterPaths(folder: string): { readonly data: string; readonly logFile: string; readonly passwordFile: string } {
  return { data: join(folder, "data"), logFile: join(folder, "server.log"), passwordFile: join(folder, "password") };
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Gives a folder and all in it to an account. Links are given themselves, not what they point to. */
async function giveTo(account: Account, path: string): Promise<void> {
  await lchown(path, account.uid, account.gid);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) await giveTo(account, inner);
    else await lchown(inner, account.uid, account.gid);
  }
}

/** The last lines a program of PostgreSQL said, for a message. */
export function lastWords(output: string): string {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  return lines.slice(-6).join("\n");
}

/** The error for a program of PostgreSQL that failed, with its own last words. */
export function postgresFailed(what: string, output: string): NexusError {
  const words = lastWords(output) || "it said nothing";
  const code = /No space left on device|Disk quota exceeded/.test(output) ? "DISK_FULL" : "DATABASE_FAILED_TO_START";
  return new NexusError(code, `${what}:\n${words}`);
}

export interface ClusterOptions {
  readonly binaries: Binaries;
  readonly account: Account | undefined;
  /** Whether a new cluster must have reached the disk before it is used. */
  readonly durable: boolean;
  readonly signal: AbortSignal | undefined;
}

async function create(folder: string, options: ClusterOptions): Promise<void> {
  const { binaries, account, durable, signal } = options;
  const { data, passwordFile } = clusterPaths(folder);
  // A cluster appears whole or not at all. The initdb of a start that was killed may still be filling its draft,
  // so each start has one of its own, and what cannot be swept away now is swept away the next time.
  for (const name of await readdir(folder)) {
    if (name.startsWith(DRAFT)) await rm(join(folder, name), { recursive: true, force: true }).catch(() => {});
  }
  const draft = join(folder, `${DRAFT}${randomUUID()}`);
  await rm(passwordFile, { force: true });
  await writeFile(passwordFile, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600, flag: "wx", flush: true });
  if (account !== undefined) await chown(passwordFile, account.uid, account.gid);

  const args = ["-D", draft, "-U", ROLE, "--auth=scram-sha-256", `--pwfile=${passwordFile}`, "--encoding=UTF8"];
  args.push("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--wal-segsize=4");
  if (!durable) args.push("--no-sync");
  const { exitCode, stdout, stderr } = await runToEnd(binaries.initdb, args, { account, signal });
  if (exitCode !== 0) {
    await rm(draft, { recursive: true, force: true });
    throw postgresFailed(`PostgreSQL could not create its files in ${folder}`, stderr || stdout);
  }
  await rename(draft, data);
  await syncFolder(folder);
}

/**
 * The cluster in a folder, created when there is none.
 *
 * @throws DATABASE_FAILED_TO_START, DISK_FULL with initdb's words; DATA_FOLDER_UNUSABLE when its password is lost
 */
export async function openCluster(folder: string, options: ClusterOptions): Promise<Cluster> {
  const { account } = options;
  const { data, logFile, passwordFile } = clusterPaths(folder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (account !== undefined && (await stat(folder)).uid !== account.uid) await giveTo(account, folder);
  if (!(await exists(data))) await create(folder, options);
  const password = await readFile(passwordFile, "utf8").catch((error: unknown) => {
    throw new NexusError("DATA_FOLDER_UNUSABLE", `The database's password cannot be read from ${passwordFile}.`, {
      hint: "Restore the file from a backup of the data folder, or choose another folder with --home.",
      cause: error,
    });
  });
  return { data, logFile, password: password.trim() };
}
