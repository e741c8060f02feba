import { chmod, cp, mkdir, mkdtemp, readdir, realpath, symlink, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ROOT } from "../workspaces.ts";

/** A folder that looks like a fresh clone after `npm ci`, and the environment of a terminal in it. */
export interface WorkingFolder {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** The port that stands for 7700, since another coordinator may be running on this machine. */
  readonly port: number;
}

/** What the commands of a page may call besides nexus, npm and npx. Anything else fails, and so cannot do harm. */
const TOOLS = [
  "bash",
  "sh",
  "awk",
  "basename",
  "cat",
  "cp",
  "curl",
  "cut",
  "date",
  "dirname",
  "env",
  "grep",
  "head",
  "jq",
  "ls",
  "mkdir",
  "mv",
  "readlink",
  "rm",
  "sed",
  "seq",
  "sha256sum",
  "sleep",
  "sort",
  "tail",
  "test",
  "timeout",
  "touch",
  "tr",
  "uname",
  "wc",
];

/** Files of the checkout that a page may change; the others are links to the real ones. */
const COPIED = new Set(["examples"]);

/**
 * Makes the folder. `npm ci` is already done there, `npm test` is what runs this, and the demo is cut to two rounds;
 * everything else is the real thing.
 */
export async function createWorkingFolder(): Promise<WorkingFolder> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "nexus-fences-")));
  await chmod(folder, 0o755); // as root, the database runs as another user, who must reach its files
  const bin = join(folder, ".bin");
  await mkdir(bin);
  for (const entry of await readdir(ROOT)) {
    if (COPIED.has(entry)) await cp(join(ROOT, entry), join(folder, entry), { recursive: true });
    else if (!entry.startsWith(".")) await symlink(join(ROOT, entry), join(folder, entry));
  }
  for (const tool of TOOLS) {
    const path = (process.env["PATH"] ?? "")
      .split(":")
      .map((place) => join(place, tool))
      .find((path) => existsSync(path));
    if (path !== undefined) await symlink(path, join(bin, tool));
  }
  await symlink(process.execPath, join(bin, "node"));
  const port = await freePort();
  const npm = join(dirname(await realpath(findOnPath("npm"))), "npm-cli.js");
  await script(join(bin, "nexus"), [
    `if [ "$1" = up ]; then case " $* " in *" --port "*) ;; *) shift; set -- up --port ${port} "$@" ;; esac; fi`,
    `exec node --conditions=source '${join(ROOT, "apps/cli/bin/nexus.js")}' "$@"`,
  ]);
  await script(join(bin, "npx"), ['if [ "$1" = nexus ]; then exec "$@"; fi', 'echo "npx $1 is not run by a page" >&2', "exit 127"]);
  await script(join(bin, "npm"), [
    'case "$*" in',
    '  ci | "ci --ignore-scripts") echo "(npm ci: done already)" ;;',
    '  test) echo "(npm test: running this)" ;;',
    `  "run demo" | "run demo -- "*) case " $* " in *" --rounds "*) ;; *) [ $# -gt 2 ] && set -- "$@" --rounds 2 || set -- "$@" -- --rounds 2 ;; esac; exec node '${npm}' "$@" ;;`,
    `  "run prepare" | "run bench -- cli-start"*) exec node '${npm}' "$@" ;;`,
    '  *) echo "npm $* is not run by a page: give the fence skip=\\"a reason\\", or teach tests/fences/working-folder.ts to run it" >&2; exit 127 ;;',
    "esac",
  ]);
  const { TMPDIR } = process.env;
  return {
    folder,
    port,
    env: { PATH: bin, HOME: folder, NEXUS_HOME: join(folder, ".nexus"), LANG: "C.UTF-8", NO_COLOR: "1", ...(TMPDIR === undefined ? {} : { TMPDIR }) },
  };
}

async function script(file: string, lines: readonly string[]): Promise<void> {
  await writeFile(file, `#!/bin/sh\n${lines.join("\n")}\n`);
  await chmod(file, 0o755);
}

function findOnPath(name: string): string {
  const found = (process.env["PATH"] ?? "")
    .split(":")
    .map((place) => join(place, name))
    .find((path) => existsSync(path));
  if (found === undefined) throw new Error(`${name} is not on the PATH.`);
  return found;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("The port of a listening server is not known.");
  return address.port;
}
