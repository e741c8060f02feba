import { NexusError } from "@ciphernx/core/errors";
import { findMistakes, readDocument } from "@ciphernx/core/spec";
import type { z } from "zod";
import { readFileBytes } from "./read-file.ts";

/** As long as a spec may be. */
const MAX_DOCUMENT_BYTES = 4_000_000;

/**
 * Reads a YAML or JSON file of a form; `what` says in errors what it should be.
 * @throws NexusError DATA_UNREADABLE, DATA_INVALID with every mistake
 */
export async function readDocumentFile<S extends z.ZodType>(path: string, schema: S, what: string): Promise<z.output<S>> {
  const invalid = (why: string, cause?: unknown): NexusError =>
    new NexusError("DATA_INVALID", `${path} is not ${what}: ${why}`, { hint: "Mend what the message names.", details: { file: path }, cause });
  const bytes = await readFileBytes(path, { maxBytes: MAX_DOCUMENT_BYTES });
  let document: unknown;
  try {
    document = readDocument(new TextDecoder("utf-8", { fatal: true }).decode(bytes), path);
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error), error);
  }
  const parsed = schema.safeParse(document);
  if (parsed.success) return parsed.data;
  throw invalid(
    `\n${findMistakes(schema, document)
      .map((mistake) => `  ${mistake.path}: ${mistake.reason} ${mistake.remedy}`)
      .join("\n")}`,
  );
}
