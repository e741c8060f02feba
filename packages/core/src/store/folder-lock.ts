import { createHash, randomUUID } from "node:crypto";
import { link, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { NexusError } from "../errors/index.ts";
import { sleep } from "../lifecycle/index.ts";
import { processIdentity } from "./process-identity.ts";

const LOCK = "lock";
const CLAIM = "lock.claim-";
const DRAFT = "lock.draft-";
/** While another process is taking over, a few system calls long. */
const POLL_MS = 5;
/** Drafts older than this were left by a process that was killed while taking the lock. */
const LITTER_AGE_MS = 60_000;

interface Holder {
  readonly pid: number;
  readonly identity: string;
}

/** A data folder that is ours alone until released. */
export interface FolderLock {
  release(): Promise<void>;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** The holder a lock names; undefined for what a power failure may leave of one. */
function parseHolder(text: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("pid" in value) || !("identity" in value)) return undefined;
    return typeof value.pid === "number" && typeof value.identity === "string" ? { pid: value.pid, identity: value.identity } : undefined;
  } catch {
    return undefined;
  }
}

async function isAlive(holder: Holder): Promise<boolean> {
  return (await processIdentity(holder.pid)) === holder.identity;
}

/** Id of the process that holds a folder, or undefined when none does. */
export async function folderHolder(dir: string): Promise<number | undefined> {
  const held = await readIfPresent(join(dir, LOCK));
  const holder = held === undefined ? undefined : parseHolder(held);
  return holder !== undefined && (await isAlive(holder)) ? holder.pid : undefined;
}

/** Creates a second name for a file; false when the name is taken. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (isCode(error, "EEXIST")) return false;
    throw error;
  }
}

/**
 * Whether this process, and no other, may replace a dead process's lock: who first puts a claim beside it, named
 * after what the lock says. When the claimer died as well, its claim is claimed in turn. Claims are removed only
 * after the lock has been replaced, so whoever claims too late sees another lock and steps back.
 */
async function claimed(dir: string, stale: string, draft: string): Promise<boolean> {
  for (let dead = stale; ;) {
    const claim = join(dir, `${CLAIM}${createHash("sha256").update(dead).digest("hex")}`);
    if (await linked(draft, claim)) {
      if ((await readIfPresent(join(dir, LOCK))) === stale) return true;
      await rm(claim, { force: true });
      return false;
    }
    const claimer = await readIfPresent(claim);
    const holder = claimer === undefined ? undefined : parseHolder(claimer);
    if (claimer === undefined || (holder !== undefined && (await isAlive(holder)))) return false;
    dead = claimer;
  }
}

/** Removes claims, which mean nothing once the lock is ours, and drafts of processes that were killed long ago. */
async function sweep(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    const path = join(dir, name);
    if (name.startsWith(CLAIM)) await rm(path, { force: true });
    if (!name.startsWith(DRAFT)) continue;
    const age = Date.now() - (await stat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
    if (age > LITTER_AGE_MS) await rm(path, { force: true });
  }
}

/**
 * Takes a folder for this process. The lock is a file that names the process and its start time; it appears
 * whole or not at all (a hard link), and the lock of a dead process is taken over, also when the system has
 * given its id to another.
 *
 * @throws DATA_FOLDER_BUSY naming the process that holds it
 */
export async function lockFolder(dir: string): Promise<FolderLock> {
  const identity = await processIdentity(process.pid);
  if (identity === undefined) throw new NexusError("INTERNAL", `Process ${process.pid} cannot see its own start time.`);
  const lock = join(dir, LOCK);
  const own = JSON.stringify({ pid: process.pid, identity, id: randomUUID() });
  const draft = join(dir, `${DRAFT}${randomUUID()}`);

  try {
    await writeFile(draft, own, { mode: 0o600 });
    while (!(await linked(draft, lock))) {
      const held = await readIfPresent(lock);
      if (held === undefined) continue;
      const holder = parseHolder(held);
      if (holder !== undefined && (await isAlive(holder))) {
        const who = holder.pid === process.pid ? "this process itself" : `process ${holder.pid}`;
        throw new NexusError("DATA_FOLDER_BUSY", `The data folder ${dir} is in use by ${who}.`, { details: { dataDir: dir, pid: holder.pid } });
      }
      if (await claimed(dir, held, draft)) {
        await rename(draft, lock);
        break;
      }
      await sleep(POLL_MS);
    }
    await sweep(dir);
  } finally {
    await rm(draft, { force: true });
  }

  return {
    async release() {
      if ((await readIfPresent(lock)) === own) await rm(lock, { force: true });
    },
  };
}
