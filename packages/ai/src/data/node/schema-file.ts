import { type DatasetSchema, datasetSchema } from "../dataset-schema.ts";
import { readDocumentFile } from "./document-file.ts";

/**
 * Reads the YAML or JSON file with the schema of a dataset.
 * @throws NexusError DATA_UNREADABLE, DATA_INVALID with every mistake
 */
export async function readSchemaFile(path: string): Promise<DatasetSchema> {
  return readDocumentFile(path, datasetSchema, "the schema of a dataset");
}
