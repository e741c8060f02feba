import { dirname, resolve } from "node:path";
import type { Dataset } from "../dataset.ts";
import { chooseFiles } from "./choose-files.ts";
import { parseDescriptor } from "./descriptor-file.ts";
import { loadDescribed } from "./load-dataset.ts";
import type { LoadOptions } from "./load-options.ts";
import { readSchemaFile } from "./schema-file.ts";

/** Files that nobody has described: rows, and what they are. */
export interface UndescribedFiles {
  /** Paths relative to `folder`; the format is told by their names. */
  readonly data: string | readonly string[];
  /** YAML or JSON file with the schema. */
  readonly schema: string;
  readonly folder: string;
}

/**
 * Loads files as `nexus dataset add` would describe them, without a node.
 * @throws NexusError USAGE, DATA_UNREADABLE, DATA_INVALID as `addDataset`
 */
export async function loadFiles({ data, schema: schemaFile, folder }: UndescribedFiles, options: LoadOptions = {}): Promise<Dataset> {
  const path = resolve(folder, schemaFile);
  const schema = await readSchemaFile(path);
  const files = await chooseFiles({
    data: [data].flat().map((file) => resolve(folder, file)),
    classNames: schema.kind === "tensor" ? schema.classNames : undefined,
  });
  return loadDescribed(parseDescriptor({ formatVersion: 1, name: "files", schema, files }, path), dirname(path), options);
}
