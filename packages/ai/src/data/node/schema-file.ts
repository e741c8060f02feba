import { NexusError } from "@ciphernx/core/errors";
import { findMistakes, readDocument } from "@ciphernx/core/spec";
import { type DatasetSchema, datasetSchema } from "../dataset-schema.ts";
import { readFileBytes } from "./read-file.ts";

/** As long as a spec may be. */
const MAX_SCHEMA_BYTES = 4_000_000;

/**
 * Reads the YAML or JSON file with the schema of a dataset.
 * @throws NexusError DATA_UNREADABLE, DATA_INVALID with every mistake
 */
export async function readSchemaFile(path: string): Promise<DatasetSchema> {
  const invalid = (what: string, cause?: unknown): NexusError =>
    new NexusError("DATA_INVALID", `${path} is not the schema of a dataset: ${what}`, {
      hint: "Mend what the message names.",
      details: { file: path },
      cause,
    });
  const bytes = await readFileBytes(path, { maxBytes: MAX_SCHEMA_BYTES });
  let document: unknown;
  try {
    document = readDocument(new TextDecoder("utf-8", { fatal: true }).decode(bytes), path);
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error), error);
  }
  const parsed = datasetSchema.safeParse(document);
  if (parsed.success) return parsed.data;
  throw invalid(
    `\n${findMistakes(datasetSchema, document)
      .map((mistake) => `  ${mistake.path}: ${mistake.reason} ${mistake.remedy}`)
      .join("\n")}`,
  );
}
