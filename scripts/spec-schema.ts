// Writes docs/run-spec.schema.json, for editors and other languages: npm run docs
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { runSpecJsonSchema } from "@ciphernx/ai/spec";

/** Where the schema lies. */
export const SPEC_SCHEMA = new URL("../docs/run-spec.schema.json", import.meta.url);

/** The JSON Schema of the run spec as text. */
export function specSchema(): string {
  return `${JSON.stringify(runSpecJsonSchema(), undefined, 2)}\n`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) writeFileSync(SPEC_SCHEMA, specSchema());
