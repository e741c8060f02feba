import { mkdir, open, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { NexusError } from "@ciphernx/core/errors";
import { findMistakes } from "@ciphernx/core/spec";
import { type DatasetDescriptor, type DatasetDescriptorInput, descriptorSchema } from "../descriptor.ts";
import { readFileBytes, unreadable } from "./read-file.ts";

const FOLDER = "datasets";
const SUFFIX = ".json";
/** A descriptor with 100,000 columns is far smaller. */
const MAX_DESCRIPTOR_BYTES = 64 * 1024 * 1024;

/** Where the descriptor of a dataset lies in a node's folder. */
export function descriptorPath(nodeFolder: string, name: string): string {
  return join(nodeFolder, FOLDER, name + SUFFIX);
}

/** The names of the datasets that a node's folder refers to, sorted; none when it has no such folder. */
export async function listDescriptors(nodeFolder: string): Promise<readonly string[]> {
  const folder = join(nodeFolder, FOLDER);
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && entry.name.endsWith(SUFFIX))
      .map((entry) => basename(entry.name, SUFFIX))
      .toSorted();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw unreadable(folder, error);
  }
}

/**
 * Reads a descriptor; the paths in it are left as they are written.
 * @throws NexusError DATA_UNREADABLE when there is no such file; DATA_INVALID with every mistake when it is not a descriptor.
 */
export async function readDescriptor(path: string): Promise<DatasetDescriptor> {
  const bytes = await readFileBytes(path, { maxBytes: MAX_DESCRIPTOR_BYTES });
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new NexusError("DATA_INVALID", `${path} is not JSON: ${(cause as Error).message}`, { hint: HINT, details: { file: path }, cause });
  }
  const descriptor = parseDescriptor(document, path);
  if (basename(path) !== descriptor.name + SUFFIX) {
    throw new NexusError("DATA_INVALID", `${path} describes a dataset called "${descriptor.name}".`, {
      hint: `Call the file ${descriptor.name}${SUFFIX}, or change the name in it.`,
      details: { file: path },
    });
  }
  return descriptor;
}

/**
 * Writes `<node's folder>/datasets/<name>.json`, replacing what was there: either the old or the new text is there, never half.
 * @returns The path of the file.
 * @throws NexusError DATA_INVALID with every mistake when it is not a descriptor.
 */
export async function writeDescriptor(nodeFolder: string, descriptor: DatasetDescriptorInput): Promise<string> {
  const path = descriptorPath(nodeFolder, descriptor.name);
  const text = `${JSON.stringify(parseDescriptor(descriptor, path), null, 2)}\n`;
  const draft = `${path}.${process.pid}.draft`;
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(draft, text, { flush: true });
    await rename(draft, path);
    await using folder = await open(dirname(path), "r");
    await folder.sync();
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  return path;
}

const HINT = "`nexus dataset add` writes descriptors.";

/** Parses what a descriptor holds; `path` names it in errors. @throws NexusError DATA_INVALID with every mistake. */
export function parseDescriptor(document: unknown, path: string): DatasetDescriptor {
  const parsed = descriptorSchema.safeParse(document);
  if (parsed.success) return parsed.data;
  const mistakes = findMistakes(descriptorSchema, document);
  const lines = mistakes.map((mistake) => `  ${mistake.path}: ${mistake.reason} ${mistake.remedy}`);
  throw new NexusError("DATA_INVALID", `${path} is not a dataset's descriptor:\n${lines.join("\n")}`, {
    hint: HINT,
    details: { file: path, mistakes },
  });
}
