import { NexusError } from "@ciphernx/core/errors";
import { type DatasetTerms, termsSchema } from "../terms.ts";
import { descriptorPath, readDescriptor, writeDescriptor } from "./descriptor-file.ts";
import { readDocumentFile } from "./document-file.ts";

/**
 * Reads the YAML or JSON file with the terms of a dataset.
 * @throws NexusError DATA_UNREADABLE, DATA_INVALID with every mistake
 */
export async function readTermsFile(path: string): Promise<DatasetTerms> {
  return readDocumentFile(path, termsSchema, "the terms of a dataset");
}

/** The terms of a dataset that a node's folder describes; undefined when it has none. @throws NexusError as `readDescriptor` */
export async function readTerms(nodeFolder: string, dataset: string): Promise<DatasetTerms | undefined> {
  return (await readDescriptor(descriptorPath(nodeFolder, dataset))).terms;
}

/** Replaces the terms of a dataset; undefined: none. Content and registration stay as they are. @throws NexusError as `readDescriptor` */
export async function setTerms(nodeFolder: string, dataset: string, terms: DatasetTerms | undefined): Promise<void> {
  const { terms: _, ...rest } = await readDescriptor(descriptorPath(nodeFolder, dataset));
  await writeDescriptor(nodeFolder, terms === undefined ? rest : { ...rest, terms });
}

/**
 * The terms of a dataset that is about to be described anew: an owner's terms outlive its files.
 * @throws NexusError DATA_INVALID when what is there cannot be read, so that nobody can tell whether it has terms
 */
export async function termsToKeep(nodeFolder: string, dataset: string): Promise<DatasetTerms | undefined> {
  try {
    return await readTerms(nodeFolder, dataset);
  } catch (error) {
    if (!(error instanceof NexusError)) throw error;
    if (error.code === "DATA_UNREADABLE" && isMissing(error.cause)) return undefined;
    throw new NexusError(error.code, `${error.message} Its owner's terms would be lost.`, {
      hint: "Mend or remove the file, or name the terms with --terms.",
      details: error.details,
      cause: error,
    });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
