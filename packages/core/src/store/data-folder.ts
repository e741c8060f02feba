import { mkdir, open, readFile, realpath, rename } from "node:fs/promises";
import { join } from "node:path";
import { syncFolder } from "../blobs/folder-staged-blob.ts";
import { NexusError, toNexusError } from "../errors/index.ts";

/** Version of the folder's layout that this build writes and reads. */
export const FORMAT_VERSION = 1;
const FORMAT_FILE = "format.json";

/** System calls' ways to say that a folder is not for us. */
const UNUSABLE_ERRNOS = new Set(["EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST", "EISDIR", "ELOOP", "ENAMETOOLONG", "ENOENT"]);

/** What a failure while a data folder is opened means: DATA_FOLDER_UNUSABLE when the file system refuses, DISK_FULL, else INTERNAL. */
export function dataFolderError(error: unknown, dataDir: string): NexusError {
  const known = toNexusError(error);
  if (known.code !== "INTERNAL") return known;
  const { cause } = known;
  if (!(cause instanceof Error && "code" in cause && typeof cause.code === "string" && UNUSABLE_ERRNOS.has(cause.code))) return known;
  const message = `The data folder ${dataDir} cannot be used: ${cause.message}`;
  return new NexusError("DATA_FOLDER_UNUSABLE", message, { cause: error, details: { dataDir } });
}

/** Makes the folder when it is missing and resolves symbolic links in its path. */
export async function makeDataFolder(dataDir: string): Promise<string> {
  try {
    // Root's folder is passed through by the database's user; nobody but us lists it, and its files protect themselves.
    await mkdir(dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
    return await realpath(dataDir);
  } catch (error) {
    throw dataFolderError(error, dataDir);
  }
}

/** The version that the text of a `format.json` declares; undefined when it declares none. */
export function parseFormat(text: string): number | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("version" in value)) return undefined;
    return typeof value.version === "number" && Number.isInteger(value.version) && value.version > 0 ? value.version : undefined;
  } catch {
    return undefined; // not JSON: no version
  }
}

async function writeFormat(dataDir: string): Promise<void> {
  const draft = join(dataDir, `${FORMAT_FILE}.new`);
  await using file = await open(draft, "w", 0o600);
  await file.writeFile(`${JSON.stringify({ version: FORMAT_VERSION })}\n`);
  await file.sync();
  await rename(draft, join(dataDir, FORMAT_FILE));
  await syncFolder(dataDir);
}

/**
 * Declares the format of a new folder, or checks that of an old one. Called under the folder's lock.
 *
 * @throws DATA_FOLDER_UNUSABLE naming both versions when the folder's is newer, or when its declaration is damaged
 */
export async function checkFormat(dataDir: string): Promise<void> {
  const path = join(dataDir, FORMAT_FILE);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    return writeFormat(dataDir);
  }
  const version = parseFormat(text);
  if (version === FORMAT_VERSION) return;
  const found = version === undefined ? "no readable format version" : `format version ${version}`;
  throw new NexusError("DATA_FOLDER_UNUSABLE", `The data folder ${dataDir} has ${found}; this software reads version ${FORMAT_VERSION}.`, {
    hint: version === undefined ? `Restore ${path} from a backup.` : "Use the software that wrote the folder, or choose another folder with --home.",
    details: { dataDir, found: version ?? null, supported: FORMAT_VERSION },
  });
}
