import { constants } from "node:fs";
import { access, mkdtemp, rm, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { folderHolder } from "@ciphernx/core/store/folder-lock";
import { formatBytes } from "../../output/index.ts";
import { type Check, type Finding, good, problem, warning } from "../finding.ts";

/** A round of a large model is refused for want of space below this. */
const LITTLE_SPACE_BYTES = 2 ** 30;
/** PostgreSQL alone writes its log in files of 16 MiB. */
const NO_SPACE_BYTES = 64 * 2 ** 20;

/** Where the coordinator keeps everything: whether it is there, may be written to, and has space left. */
export const checkDataFolder: Check = async ({ global: { home } }) => {
  const there = await stat(home).then(
    (found) => (found.isDirectory() ? ("folder" as const) : ("file" as const)),
    () => undefined,
  );
  if (there === "file") return [problem("data folder", `${home} is a file.`, "Name a folder with --home or NEXUS_HOME.")];
  const folder = there === undefined ? await nearestFolder(home) : home;
  const holder = there === undefined ? undefined : await folderHolder(home);
  const used = holder === undefined ? "no coordinator uses it" : `process ${holder} uses it`;
  const finding =
    there === undefined ? good("data folder", `${home} is not there yet; \`nexus up\` makes it`) : good("data folder", `${home}, ${used}`);
  return [(await isWritable(folder)) ? finding : unwritable(folder), await checkSpace(folder)];
};

async function checkSpace(folder: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const found = `${formatBytes(free)} free`;
  const fix = "Free some, or move the data folder to another disk (--home); runs wait for space and lose nothing.";
  return free < NO_SPACE_BYTES ? problem("disk", found, fix) : free < LITTLE_SPACE_BYTES ? warning("disk", found, fix) : good("disk", found);
}

function unwritable(folder: string): Finding {
  return problem("data folder", `${folder} may not be written to by this user.`, "Run as the user who owns it, or name another folder with --home.");
}

/** Whether a file can be made there: permissions say little on a disk that is mounted to be read alone. */
async function isWritable(folder: string): Promise<boolean> {
  try {
    await access(folder, constants.W_OK);
    const tried = await mkdtemp(join(folder, ".nexus-doctor-"));
    await rm(tried, { recursive: true });
    return true;
  } catch {
    return false;
  }
}

/** The first folder above that is there. */
async function nearestFolder(path: string): Promise<string> {
  for (let at = dirname(path); ; at = dirname(at)) {
    const isFolder = await stat(at).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (isFolder || at === dirname(at)) return at;
  }
}
