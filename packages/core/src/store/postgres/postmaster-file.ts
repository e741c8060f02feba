import { readFile, readlink, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { NexusError } from "../../errors/index.ts";
import { sleep } from "../../lifecycle/index.ts";
import { processIdentity } from "../process-identity.ts";
import { runToEnd } from "./child-process.ts";

const FILE = "postmaster.pid";
const POLL_MS = 20;

/** What a running server says about itself in `postmaster.pid` (PostgreSQL's miscadmin.h, LOCK_FILE_LINE_*). */
export interface Postmaster {
  readonly pid: number;
  /** "starting", "stopping", "ready" or "standby"; absent in the first instants. */
  readonly status: string | undefined;
}

/** Reads the text of a `postmaster.pid`: the process id on line 1, the status on line 8. */
export function parsePostmasterFile(text: string): Postmaster | undefined {
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  // A single-user backend writes its id with a minus sign.
  return Number.isInteger(pid) && pid !== 0 ? { pid: Math.abs(pid), status: lines[7]?.trim() || undefined } : undefined;
}

/** The server that the data folder names, running or not. */
export async function readPostmaster(data: string): Promise<Postmaster | undefined> {
  try {
    return parsePostmasterFile(await readFile(join(data, FILE), "utf8"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Whether a process is a server of this data folder: a postmaster lives in it, and was started with its path. */
async function servesFolder(pid: number, data: string): Promise<boolean> {
  if (process.platform === "linux") return (await readlink(`/proc/${pid}/cwd`).catch(() => undefined)) === (await realpath(data));
  return (await runToEnd("ps", ["-ww", "-o", "command=", "-p", String(pid)], {})).stdout.includes(data);
}

/** Sends a signal; false when the process is gone already. */
export function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
    throw error;
  }
}

/** Whether a process ends within a time. */
export async function endsWithin(pid: number, timeoutMs: number): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += POLL_MS) {
    if ((await processIdentity(pid)) === undefined) return true;
    await sleep(POLL_MS);
  }
  return (await processIdentity(pid)) === undefined;
}

/**
 * Stops a server that an earlier owner left running in the data folder, gently at first; does nothing when there
 * is none. Forgets a `postmaster.pid` whose process id now belongs to a program that has nothing to do with it.
 *
 * @returns the process id of the server that was stopped
 * @throws DATA_FOLDER_UNUSABLE when the server belongs to somebody else
 */
export async function stopOrphan(data: string): Promise<number | undefined> {
  const found = await readPostmaster(data);
  if (found === undefined || (await processIdentity(found.pid)) === undefined) return undefined;
  if (!(await servesFolder(found.pid, data))) {
    await rm(join(data, FILE), { force: true });
    return undefined;
  }
  try {
    // Fast shutdown, immediate shutdown, and what no program can refuse (the log of transactions makes good for it).
    for (const [signal, timeoutMs] of [
      ["SIGINT", 10_000],
      ["SIGQUIT", 5000],
      ["SIGKILL", 5000],
    ] as const) {
      if (!send(found.pid, signal) || (await endsWithin(found.pid, timeoutMs))) return found.pid;
    }
  } catch (error) {
    throw new NexusError("DATA_FOLDER_UNUSABLE", `PostgreSQL is running in ${data} as process ${found.pid}, which belongs to another user.`, {
      hint: "Stop that process, or choose another folder with --home.",
      cause: error,
    });
  }
  throw new NexusError("DATA_FOLDER_UNUSABLE", `PostgreSQL is running in ${data} as process ${found.pid} and does not end.`);
}
