import { writeFile } from "node:fs/promises";
import { plural } from "@ciphernx/core/errors";
import { defineCommand, text } from "../../command.ts";

export const auditExport = defineCommand({
  name: "export",
  summary: "Write the audit log to a file, one event a line",
  details: "The file can be verified anywhere: `nexus audit verify --file FILE --heads FOLDER`.",
  options: { output: text("--output <file>", "where to (default: audit.jsonl)") },
  examples: [{ command: "nexus audit export --output audit.jsonl" }],
  async action({ options, output, withNexus }) {
    await withNexus(async (nexus) => {
      const file = options.output ?? "audit.jsonl";
      const lines: string[] = [];
      for await (const event of nexus.audit.events()) lines.push(`${JSON.stringify(event)}\n`);
      await writeFile(file, lines.join(""), { mode: 0o600, flush: true });
      output.result({ data: { file, events: lines.length }, text: `Wrote ${plural(lines.length, "event")} to ${file}.`, ids: [file] });
    });
  },
});
