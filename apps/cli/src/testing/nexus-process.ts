import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/** The command's first file. */
export const NEXUS = fileURLToPath(new URL("../../bin/nexus.js", import.meta.url));

/** Flags that make a Node take the way of one that cannot replace its process, as before 22.15: the command runs in a child. */
export const WITHOUT_EXECVE = ["--import", "data:text/javascript,delete process.execve"];

/** What a finished `nexus` left behind. */
export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Flags of the Node that starts the command. */
  readonly nodeFlags?: readonly string[];
}

/** Starts `nexus` as a person's shell would: bin/nexus.js under plain Node, with an environment of its own. */
export function startNexus(
  args: readonly string[],
  { env = {}, nodeFlags = [] }: StartOptions = {},
): ChildProcessByStdio<Writable, Readable, Readable> {
  const { PATH, TMPDIR } = process.env;
  return spawn(process.execPath, [...nodeFlags, NEXUS, ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { PATH, TMPDIR, NEXUS_HOME: "/nonexistent/nexus-home", NEXUS_CONFIG: "/nonexistent/config.yaml", ...env },
  });
}

/** Runs `nexus` to its end with nothing on its standard input. */
export async function runNexus(args: readonly string[], options: StartOptions = {}): Promise<Finished> {
  const child = startNexus(args, options);
  child.stdin.end();
  return finished(child);
}

/** Waits for the end of a started `nexus`. */
export async function finished(child: ChildProcessByStdio<Writable, Readable, Readable>): Promise<Finished> {
  const ended = new Promise<Pick<Finished, "code" | "signal">>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  const [stdout, stderr, end] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { ...end, stdout, stderr };
}
