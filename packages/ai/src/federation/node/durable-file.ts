import { open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Writes a file so that either the old or the new text is there after a crash, never half. */
export async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  const draft = `${path}.${process.pid}.draft`;
  try {
    await writeFile(draft, text, { mode, flush: true });
    await rename(draft, path);
    await using folder = await open(join(path, ".."), "r");
    await folder.sync();
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Undefined when there is no such file. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Whether an error says that a file or its folder is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}
