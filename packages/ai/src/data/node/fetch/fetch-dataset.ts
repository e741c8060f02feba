import { mkdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { NexusError } from "@ciphernx/core/errors";
import { nearest } from "@ciphernx/core/spec";
import { unreadable } from "../read-file.ts";
import { download } from "./download.ts";
import { readGivenFiles, sha256Of } from "./given-files.ts";
import { heartDisease } from "./heart-disease.ts";
import type { FetchRecipe } from "./recipe.ts";

/** The public datasets that can be fetched, each a file beside this one. */
export const FETCH_RECIPES: readonly FetchRecipe[] = [heartDisease];

const FILE_TIMEOUT_MS = 60_000;

export interface FetchOptions {
  /** The folder to write to; it is made. */
  readonly out: string;
  /** What a person has fetched otherwise: see `readGivenFiles`. Then nothing is downloaded. */
  readonly from?: string | undefined;
  /** Where the publisher's files lie instead, such as on a mirror. Ends in a slash. */
  readonly baseUrl?: string;
  /** How long one file may take. Default a minute. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A dataset that is there now. */
export interface FetchedDataset {
  readonly name: string;
  /** Absolute. */
  readonly file: string;
  /** The text with its authors and licence, beside it. */
  readonly noticeFile: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  /** How it came: from its publisher, from files that were given, or it had been fetched before. */
  readonly origin: "downloaded" | "given" | "present";
}

/**
 * The recipe of a name.
 * @throws NexusError USAGE when nothing of that name can be fetched
 */
export function fetchRecipe(name: string): FetchRecipe {
  const found = FETCH_RECIPES.find((recipe) => recipe.name === name);
  if (found !== undefined) return found;
  const names = FETCH_RECIPES.map((recipe) => recipe.name);
  const meant = nearest(name, names);
  throw new NexusError("USAGE", `No dataset "${name}" can be fetched${meant === undefined ? "" : `; is it "${meant}"?`}`, {
    hint: `What can be fetched: ${names.join(", ")}.`,
  });
}

/**
 * Fetches a public dataset: the publisher's files, each held against its pinned SHA-256, become one file whose SHA-256 is pinned as well, with
 * its licence beside it. Only what is right is written, and whole: whatever fails leaves nothing behind.
 * @throws NexusError DOWNLOAD_FAILED as `download`; DATA_INVALID when bytes are not the pinned ones; DATA_UNREADABLE for given files;
 *   FILE_UNUSABLE when the folder cannot be written to or has another file of that name; DISK_FULL
 */
export async function fetchDataset(recipe: FetchRecipe, options: FetchOptions): Promise<FetchedDataset> {
  const folder = resolve(options.out);
  const file = join(folder, recipe.result.name);
  const noticeFile = join(folder, recipe.notice.name);
  const there = await existing(file);
  if (there !== undefined && sha256Of(there) !== recipe.result.sha256) {
    throw new NexusError("FILE_UNUSABLE", `${file} is there already, and is another file.`, {
      hint: "Move it away, or name another folder with --out.",
      details: { file },
    });
  }
  // Files that are given are looked at even where the result is there: whoever names the wrong ones hears of it.
  const bytes = there !== undefined && options.from === undefined ? there : await obtain(recipe, options);
  options.signal?.throwIfAborted();
  await writeBoth(folder, [
    { path: noticeFile, bytes: new TextEncoder().encode(recipe.notice.text) },
    { path: file, bytes },
  ]);
  const origin = there !== undefined ? "present" : options.from === undefined ? "downloaded" : "given";
  return { name: recipe.name, file, noticeFile, sha256: recipe.result.sha256, sizeBytes: bytes.length, origin };
}

async function existing(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return undefined;
    throw unreadable(path, error);
  }
}

/** The bytes of the result, checked. */
async function obtain(
  recipe: FetchRecipe,
  { from, baseUrl = recipe.baseUrl, timeoutMs = FILE_TIMEOUT_MS, signal }: FetchOptions,
): Promise<Uint8Array> {
  const given = from === undefined ? { files: new Map<string, Uint8Array>() } : await readGivenFiles(recipe, from, signal);
  if ("result" in given) {
    requireHash(
      given.result,
      recipe.result.sha256,
      from!,
      `Name ${recipe.result.name}, a folder with the files of ${recipe.page}, or its ZIP archive.`,
    );
    return given.result;
  }
  const files = new Map(given.files);
  for (const { name, sha256 } of recipe.files) {
    const source = from === undefined ? baseUrl + name : join(from, name);
    const bytes = files.get(name) ?? (await downloadOf(recipe, source, { maxBytes: recipe.maxFileBytes, timeoutMs, signal }));
    requireHash(bytes, sha256, source, from === undefined ? otherwise(recipe) : `Get it again from ${recipe.page}.`);
    files.set(name, bytes);
  }
  const result = recipe.make(files);
  requireHash(result, recipe.result.sha256, recipe.result.name, "The publisher's files are the right ones, so this is a defect; report it.");
  return result;
}

async function downloadOf(recipe: FetchRecipe, url: string, options: Parameters<typeof download>[1]): Promise<Uint8Array> {
  try {
    return await download(url, options);
  } catch (error) {
    if (!(error instanceof NexusError) || error.code !== "DOWNLOAD_FAILED") throw error;
    throw new NexusError(error.code, error.message, { hint: otherwise(recipe), details: error.details, cause: error.cause });
  }
}

/** What a person does who cannot download from here. */
function otherwise({ name, page }: FetchRecipe): string {
  return `Try again later, or get it from ${page} by other means: \`nexus dataset fetch ${name} --from <archive or folder>\` checks and converts it.`;
}

function requireHash(bytes: Uint8Array, expected: string, source: string, hint: string): void {
  const found = sha256Of(bytes);
  if (found === expected) return;
  throw new NexusError("DATA_INVALID", `${source} is not the published file: it has the SHA-256 ${found}, not ${expected}.`, {
    hint,
    details: { file: source, found, expected },
  });
}

/** Writes files, in order, or none of them; a folder that had to be made goes again as well. */
async function writeBoth(folder: string, files: readonly { readonly path: string; readonly bytes: Uint8Array }[]): Promise<void> {
  const written: string[] = [];
  let made: string | undefined;
  try {
    made = await mkdir(folder, { recursive: true });
    for (const { path, bytes } of files) {
      if ((await existing(path)) === undefined) written.push(path);
      await writeWhole(path, bytes);
    }
  } catch (error) {
    for (const path of written) await rm(path, { force: true });
    if (made !== undefined) await removeEmpty(folder, made);
    throw unwritable(folder, error);
  }
}

/** Either the old or the new bytes are there, never half. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const draft = `${path}.${process.pid}.draft`;
  try {
    await writeFile(draft, bytes, { flush: true });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Removes a folder and those above it up to `top`, as far as nobody has put something there. */
async function removeEmpty(folder: string, top: string): Promise<void> {
  for (let at = folder; at.startsWith(top); at = dirname(at)) {
    const isGone = await rmdir(at).then(
      () => true,
      () => false,
    );
    if (!isGone) return;
  }
}

function unwritable(folder: string, cause: unknown): unknown {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (code === "ENOSPC" || code === "EDQUOT")
    return new NexusError("DISK_FULL", `There is no space left for ${folder}.`, { details: { folder }, cause });
  if (!(cause instanceof Error) || code === "" || cause instanceof NexusError) return cause;
  return new NexusError("FILE_UNUSABLE", `${folder} cannot be written to: ${cause.message}.`, { details: { folder }, cause });
}
