import { dirname } from "node:path";
import type { Account } from "./account.ts";
import { runToEnd } from "./child-process.ts";

/** A folder and all folders above it, the root first. */
export function withAncestors(path: string): string[] {
  const above = dirname(path);
  return above === path ? [path] : [...withAncestors(above), path];
}

/**
 * The first folder on the way to a folder that an account may not enter, found by entering them one after
 * another as that account (so that access lists and mount options count too); undefined when it may enter all.
 *
 * @param folder - absolute, symbolic links resolved
 */
export async function firstUnreachable(folder: string, account: Account): Promise<string | undefined> {
  const script = 'for folder in "$@"; do cd "$folder" 2>/dev/null || { printf "%s" "$folder"; exit 0; }; done';
  const { stdout } = await runToEnd("/bin/sh", ["-c", script, "sh", ...withAncestors(folder)], { account });
  return stdout === "" ? undefined : stdout;
}

/** Whether an account can read a file and everything on the way to it. */
export async function canRead(file: string, account: Account): Promise<boolean> {
  return (await runToEnd("/bin/sh", ["-c", 'test -r "$1"', "sh", file], { account })).exitCode === 0;
}
