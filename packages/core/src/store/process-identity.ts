import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/**
 * What tells one process from a later one that was given the same id: boot and start time on Linux
 * (proc(5), field 22 of /proc/PID/stat), the start time that `ps` shows elsewhere.
 *
 * @returns undefined when no such process lives; a zombie does not live
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  if (process.platform !== "linux") {
    try {
      const { stdout } = await promisify(execFile)("ps", ["-o", "lstart=", "-p", String(pid)], {
        env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C" },
      });
      return stdout.trim() || undefined;
    } catch {
      return undefined; // ps answers with a failure when there is no such process
    }
  }
  try {
    const [stat, boot] = await Promise.all([readFile(`/proc/${pid}/stat`, "utf8"), readFile("/proc/sys/kernel/random/boot_id", "utf8")]);
    // The name in parentheses may hold anything, parentheses and spaces too; fields 3, 4, … follow the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, startTicks] = [fields[0], fields[19]];
    return state === "Z" || state === "X" || startTicks === undefined ? undefined : `${boot.trim()} ${startTicks}`;
  } catch {
    return undefined; // no such entry: no such process
  }
}
