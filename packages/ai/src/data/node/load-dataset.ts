import { dirname, resolve } from "node:path";
import { NexusError } from "@ciphernx/core/errors";
import { createDataset, type Dataset } from "../dataset.ts";
import type { DatasetDescriptor } from "../descriptor.ts";
import { holdOutRows } from "../hold-out.ts";
import { takeColumns } from "../table/table-rows.ts";
import { readDescriptor } from "./descriptor-file.ts";
import { loadPart, moveFiles } from "./file-formats.ts";
import type { LoadOptions } from "./load-options.ts";

/**
 * Loads the dataset that a descriptor refers to.
 * @throws NexusError DATA_UNREADABLE naming a file that is not there or may not be read; DATA_INVALID naming file, row and column
 *   of what is not as the schema declares.
 */
export async function loadDataset(descriptorPath: string, options: LoadOptions = {}): Promise<Dataset> {
  return loadDescribed(await readDescriptor(descriptorPath), dirname(descriptorPath), options);
}

/** Loads what a descriptor that lies, or is about to lie, in a folder refers to; errors as `loadDataset`. */
export async function loadDescribed({ schema, files, holdOut }: DatasetDescriptor, folder: string, options: LoadOptions = {}): Promise<Dataset> {
  const absolute = moveFiles(files, (path) => resolve(folder, path));
  const all = await loadPart(schema, absolute, "train", options);
  if (all === undefined) throw new NexusError("INTERNAL", "A dataset's descriptor was parsed, but names no training files.");
  const { keep: _, ...testOptions } = options;
  const test = await loadPart(schema, absolute, "test", testOptions);
  if (holdOut === undefined) return createDataset(schema, all.examples, test?.examples, all.columns);
  const parts = holdOutRows(schema, all.examples, holdOut);
  return createDataset(schema, parts.train, parts.test, takeColumns(all.columns, parts.trainRows));
}
