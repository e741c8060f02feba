import { loadIdentity, readAuditHeads } from "@ciphernx/ai/federation/node";
import type { KeptHead } from "@ciphernx/core/audit";
import { NexusError } from "@ciphernx/core/errors";

/** The heads that the node of a folder keeps. @throws NexusError NODE_FOLDER_INVALID */
export async function keptHeads(folder: string): Promise<readonly KeptHead[]> {
  const { identity } = await loadIdentity(folder);
  const read = await readAuditHeads(folder);
  if (read === undefined) {
    throw new NexusError("NODE_FOLDER_INVALID", `${folder} keeps nothing of an audit log (audit-heads.jsonl is missing).`, {
      hint: "It joined before there was one: `nexus node join … --rejoin` begins it.",
    });
  }
  return read.heads.map(({ number, hash }) => ({ number, hash, keeper: identity.name }));
}
