/**
 * Real processes for tests of what happens when they are killed.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readdir, readFile, readlink } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { processIdentity } from "../process-identity.ts";

const PACKAGE = fileURLToPath(new URL("../../..", import.meta.url));

/** A Node process running a module given as text, in a process group of its own. */
export interface Script {
  readonly child: ChildProcess;
  readonly pid: number;
  /** The next line that it prints; rejects with its last words when it ends instead. */
  line(): Promise<string>;
  /** Kills it as the system would, and waits until it is gone. */
  kill(): Promise<void>;
}

/** Starts a module that may import this package's source by `@ciphernx/core/…`. */
export function startScript(source: string, args: readonly string[], user?: { readonly uid: number; readonly gid: number }): Script {
  const child = spawn(process.execPath, ["--conditions=source", "--input-type=module", "--eval", source, "--", ...args], {
    cwd: PACKAGE,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    ...user,
  });
  let words = "";
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (words += chunk));
  const lines = createInterface({ input: child.stdout ?? process.stdin })[Symbol.asyncIterator]();
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    child,
    pid: child.pid ?? 0,
    async line() {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`The script ended: ${words}`);
      return value;
    },
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Waits until a condition holds; a test's own time limit ends a wait in vain. */
export async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Whether a process lives (a zombie does not). */
export async function isAlive(pid: number): Promise<boolean> {
  return (await processIdentity(pid)) !== undefined;
}

/** The parent of a process (Linux). */
export async function parentOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

/** The processes that a process has started (Linux). */
export async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.trim().split(" ").filter(Boolean).map(Number);
}

/** The processes that live in a folder or below it (Linux). */
export async function processesIn(folder: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const place = await readlink(`/proc/${name}/cwd`).catch(() => ""); // gone in the meantime, or not ours to see
    if (place.startsWith(folder) && (await isAlive(Number(name)))) found.push(Number(name));
  }
  return found;
}
