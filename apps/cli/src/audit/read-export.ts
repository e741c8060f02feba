import { readFile } from "node:fs/promises";
import { type AuditEvent, auditEventSchema } from "@ciphernx/core/audit";
import { NexusError } from "@ciphernx/core/errors";

/** The events of an export. @throws NexusError USAGE naming the line that is none */
export async function readExport(file: string): Promise<readonly AuditEvent[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new NexusError("USAGE", `The export ${file} cannot be read.`, { hint: "`nexus audit export` writes one.", cause });
  }
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line, index) => {
    try {
      return auditEventSchema.parse(JSON.parse(line));
    } catch (cause) {
      throw new NexusError("USAGE", `${file}, line ${index + 1} is no event of an audit log.`, {
        hint: "It was changed, or is another file.",
        cause,
      });
    }
  });
}
