// Writes docs/run-spec.schema.json from the run spec's sections: npm run docs
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { runSpecJsonSchema } from "@ciphernx/ai/spec";

/** Where the JSON Schema lies, for editors: `# yaml-language-server: $schema=…`. */
export const RUN_SPEC_SCHEMA_FILE = new URL("../docs/run-spec.schema.json", import.meta.url);

/** The run spec's JSON Schema as the file has it. */
export function runSpecSchemaFile(): string {
  return `${JSON.stringify(runSpecJsonSchema(), null, 2)}\n`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  writeFileSync(RUN_SPEC_SCHEMA_FILE, runSpecSchemaFile());
