import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { NexusError } from "@ciphernx/core/errors";
import { startSha256 } from "../../sha256.ts";
import { readFileBytes, unreadable } from "../read-file.ts";
import { openZip } from "../zip-file.ts";
import type { FetchRecipe } from "./recipe.ts";

/** What a person has of a dataset: the finished file, or its publisher's files by their names. */
export type GivenFiles = { readonly result: Uint8Array } | { readonly files: ReadonlyMap<string, Uint8Array> };

/**
 * Reads what a person has fetched otherwise: the finished file, the publisher's files in a folder, or the publisher's ZIP archive with them.
 * @throws NexusError DATA_UNREADABLE when something is not there; DATA_INVALID when it is none of these
 */
export async function readGivenFiles(recipe: FetchRecipe, path: string, signal?: AbortSignal): Promise<GivenFiles> {
  const options = { maxBytes: recipe.maxFileBytes, ...(signal === undefined ? {} : { signal }) };
  if (await isFolder(path)) {
    const names = new Set(await readdir(path));
    if (names.has(recipe.result.name)) return { result: await readFileBytes(join(path, recipe.result.name), options) };
    const files = new Map<string, Uint8Array>();
    for (const { name } of recipe.files) files.set(name, await readFileBytes(join(path, name), options));
    return { files };
  }
  if (path.toLowerCase().endsWith(".zip")) return { files: await unzip(recipe, path, signal) };
  return { result: await readFileBytes(path, options) };
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** The files may lie in a folder of the archive. */
async function unzip(recipe: FetchRecipe, path: string, signal: AbortSignal | undefined): Promise<ReadonlyMap<string, Uint8Array>> {
  const invalid = (what: string): NexusError =>
    new NexusError("DATA_INVALID", `${path} ${what}.`, { hint: `Get it again from ${recipe.page}.`, details: { file: path } });
  await using zip = await openZip(path);
  const files = new Map<string, Uint8Array>();
  for (const { name } of recipe.files) {
    const entry = zip.entries.find((one) => one.name === name || one.name.endsWith(`/${name}`));
    if (entry === undefined) throw invalid(`has no ${name} in it`);
    if (entry.sizeBytes > recipe.maxFileBytes) throw invalid(`has a ${name} of ${entry.sizeBytes} bytes; it is far smaller`);
    files.set(name, Buffer.concat(await Array.fromAsync(zip.read(entry.name, { signal }))));
  }
  return files;
}

/** SHA-256 of bytes, 64 lower-case hex digits. */
export function sha256Of(bytes: Uint8Array): string {
  const hash = startSha256();
  hash.update(bytes);
  return hash.hex();
}
