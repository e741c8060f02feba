import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { NexusError } from "@ciphernx/core/errors";
import { compareNames } from "../../../tensor/index.ts";
import { unreadable } from "../read-file.ts";

/** One image, and which of the labels its folder has. */
export interface LabelledImage {
  readonly path: string;
  readonly label: number;
}

const EXTENSIONS: ReadonlySet<string> = new Set([".png", ".jpg", ".jpeg"]);
/** What systems leave behind in folders of images. */
const LEFT_BEHIND: ReadonlySet<string> = new Set(["Thumbs.db", "desktop.ini"]);
const MAX_IMAGES = 10_000_000;

const isImage = (name: string): boolean => EXTENSIONS.has(extname(name).toLowerCase());
const isLeftBehind = (name: string): boolean => name.startsWith(".") || LEFT_BEHIND.has(name);

function invalid(path: string, what: string, hint = "Put images of one class into one folder: <folder>/<label>/<image>.png."): NexusError {
  return new NexusError("DATA_INVALID", `${path} ${what}.`, { hint, details: { file: path } });
}

async function list(folder: string): Promise<readonly Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter(({ name }) => !isLeftBehind(name)).toSorted((a, b) => compareNames(a.name, b.name));
  } catch (error) {
    throw unreadable(folder, error);
  }
}

/**
 * The labels of a folder of images: the names of the folders in it, sorted. Other files beside them, such as a licence, are left out.
 * @throws NexusError DATA_UNREADABLE when the folder cannot be read; DATA_INVALID when it holds images or links itself.
 */
export async function listLabels(folder: string): Promise<readonly string[]> {
  const entries = await list(folder);
  for (const entry of entries) {
    if (entry.isSymbolicLink()) throw linked(join(folder, entry.name));
    if (entry.isFile() && isImage(entry.name)) throw invalid(join(folder, entry.name), "lies in no label's folder");
  }
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

function linked(path: string): NexusError {
  return invalid(path, "is a link, which is not followed", "Put the file itself there.");
}

/**
 * The images of a folder: by label in the order of `labels`, then by name. A label may have no folder.
 * @throws NexusError DATA_UNREADABLE when a folder cannot be read; DATA_INVALID naming a folder that is no label's, a link, or a file
 *   that is no PNG or JPEG by its name.
 */
export async function listImages(folder: string, labels: readonly string[]): Promise<readonly LabelledImage[]> {
  const there = new Set(await listLabels(folder));
  const known = new Set(labels);
  for (const name of there)
    if (!known.has(name)) throw invalid(join(folder, name), "is the folder of no label", `The labels are: ${labels.slice(0, 20).join(", ")}.`);
  const images: LabelledImage[] = [];
  for (const [label, name] of labels.entries()) {
    if (!there.has(name)) continue;
    for (const entry of await list(join(folder, name))) {
      const path = join(folder, name, entry.name);
      if (entry.isSymbolicLink()) throw linked(path);
      if (!entry.isFile()) throw invalid(path, "is a folder within a label's folder");
      if (!isImage(entry.name)) throw invalid(path, "is no PNG or JPEG file by its name", "Put other files elsewhere, or convert them.");
      images.push({ path, label });
      if (images.length > MAX_IMAGES) throw invalid(folder, `holds more than ${MAX_IMAGES} images`, "Split the data into smaller folders.");
    }
  }
  if (images.length === 0) throw invalid(folder, "holds no images");
  return images;
}
