import { spawn, type SpawnOptions } from "node:child_process";
import { abortError } from "../../lifecycle/index.ts";
import type { Account } from "./account.ts";

/** What PostgreSQL's programs see of our environment: enough to run, nothing that changes their behaviour. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
}

/** Spawn options that drop to an account; none when we stay who we are. */
export function asAccount(account: Account | undefined): SpawnOptions {
  return account === undefined ? {} : { uid: account.uid, gid: account.gid };
}

export interface Finished {
  /** Undefined when a signal ended the program or it could not be started. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end in a process group of its own, so that a Ctrl-C meant for us does not cut it short. */
export function runToEnd(
  program: string,
  args: readonly string[],
  options: { readonly account?: Account | undefined; readonly signal?: AbortSignal | undefined },
): Promise<Finished> {
  const { account, signal } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: "/",
      env: plainEnvironment(),
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      ...asAccount(account),
    });
    let [stdout, stderr] = ["", ""];
    child.stdout?.setEncoding("utf8").on("data", (words: string) => (stdout += words));
    child.stderr?.setEncoding("utf8").on("data", (words: string) => (stderr += words));
    const onAbort = (): void => void child.kill("SIGTERM");
    signal?.addEventListener("abort", onAbort, { once: true });
    const done = (result: Finished): void => {
      signal?.removeEventListener("abort", onAbort);
      if (signal?.aborted === true) reject(abortError(signal));
      else resolve(result);
    };
    child.on("error", (error) => done({ exitCode: undefined, stdout, stderr: error.message }));
    child.on("close", (code) => done({ exitCode: code ?? undefined, stdout, stderr }));
    if (signal?.aborted === true) onAbort();
  });
}
