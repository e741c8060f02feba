import { loadIdentity, readAuditHeads } from "@ciphernx/ai/federation/node";
import { auditHeadBytes, type KeptHead } from "@ciphernx/core/audit";
import { NexusError } from "@ciphernx/core/errors";
import { verify } from "@ciphernx/crypto/keys";

/** The heads that the node of a folder keeps. @throws NexusError NODE_FOLDER_INVALID */
export async function keptHeads(folder: string): Promise<readonly KeptHead[]> {
  const { identity } = await loadIdentity(folder);
  const read = await readAuditHeads(folder);
  if (read === undefined) {
    throw new NexusError("NODE_FOLDER_INVALID", `${folder} keeps nothing of an audit log (audit-heads.jsonl is missing).`, {
      hint: "It joined before there was one: `nexus node join … --rejoin` begins it.",
    });
  }
  const key = Buffer.from(read.key, "hex");
  for (const { number, hash, signature } of read.heads) {
    // A head that the coordinator never signed says nothing about it.
    if (await verify(key, auditHeadBytes(read.project, { number, hash }), Buffer.from(signature, "hex"))) continue;
    throw new NexusError("NODE_FOLDER_INVALID", `The head of event ${number} in ${folder} is not signed by the coordinator.`, {
      hint: "Somebody changed its audit-heads.jsonl: leave that node out, or restore the file.",
    });
  }
  return read.heads.map(({ number, hash }) => ({ number, hash, keeper: identity.name }));
}
