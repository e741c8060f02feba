import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Account } from "./account.ts";
import { asAccount, plainEnvironment } from "./child-process.ts";

/**
 * A shell between us and PostgreSQL, in a session of its own. It starts the server, tells its process id on
 * standard output, and ends with it. A branch of it reads a pipe that only our process holds open: when that
 * ends, by `release` or because we were killed in whatever way, it asks the server for a fast shutdown (SIGINT).
 * A server that has not yet got so far as to listen ignores that, as all background work of a shell does; the
 * SIGTERM behind it ends such a server at once and adds nothing to a fast shutdown under way.
 */
const SCRIPT = `
umask 077
log=$1
shift
if [ -f "$log" ] && [ "$(wc -c <"$log")" -gt 4194304 ]; then mv -f "$log" "$log.old"; fi
exec 2>>"$log" 3<&0
"$@" </dev/null >&2 3<&- &
server=$!
(
  while read -r _ <&3; do :; done
  kill -INT "$server"
  kill -TERM "$server"
) </dev/null >/dev/null 2>&1 &
watcher=$!
printf '%s\\n' "$server"
exec >/dev/null 3<&-
wait "$server"
code=$?
kill "$watcher" 2>/dev/null
exit "$code"
`;

/** A server tied to the life of our process. */
export interface GuardedServer {
  readonly pid: number;
  /** Resolves when the server has ended (or its shell has been killed). */
  readonly ended: Promise<void>;
  /** Lets go of the server, which then shuts down fast. */
  release(): void;
}

/** Starts a program under the watchdog, its words appended to the log file; undefined when not even the shell starts. */
export async function startGuarded(
  program: string,
  args: readonly string[],
  logFile: string,
  account: Account | undefined,
): Promise<GuardedServer | undefined> {
  const child = spawn("/bin/sh", ["-c", SCRIPT, "nexus-postgres-watchdog", logFile, program, ...args], {
    cwd: "/",
    env: plainEnvironment(),
    detached: true,
    stdio: ["pipe", "pipe", "ignore"],
    ...asAccount(account),
  });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) return undefined;
  // Nothing is ever written; an error here means that the other end is gone, which `ended` tells as well.
  stdin.on("error", () => {});
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      stdin.destroy();
      resolve();
    };
    child.once("exit", end);
    child.once("error", end);
  });

  let words = "";
  stdout.setEncoding("utf8").on("data", (chunk: string) => (words += chunk));
  await Promise.race([once(stdout, "close"), once(child, "error")]);
  const pid = Number.parseInt(words, 10);
  if (!Number.isInteger(pid)) {
    stdin.destroy();
    return undefined;
  }
  return { pid, ended, release: () => void stdin.destroy() };
}
