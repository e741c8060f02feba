/**
 * Heads of the coordinator's audit log that a node has seen, in `audit-heads.jsonl` of its folder: first the key by which they are signed, then
 * one a line. They are what `nexus audit verify --heads` holds the log against.
 *
 * @module
 */
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { NexusError } from "@ciphernx/core/errors";
import { publicKeySchema } from "@ciphernx/core/roster";
import { sha256Schema } from "@ciphernx/core/spec";
import { bytesToHex } from "@noble/hashes/utils.js";
import { z } from "zod";
import { readIfThere, writeDurably } from "./durable-file.ts";
import { type AuditHeads, followAuditHeads, type KeptAuditHead, thinHeads } from "./follow-audit-heads.ts";

const FILE = "audit-heads.jsonl";
/** From so many on, every second one of the older half goes. */
const MAX_HEADS = 10_000;

const pinSchema = z.strictObject({ project: z.string(), key: publicKeySchema });
const headSchema = z.strictObject({
  number: z.int().min(1),
  hash: sha256Schema,
  signature: z.string().regex(/^[0-9a-f]{128}$/),
  at: z.iso.datetime(),
});

/** Heads in a node's folder, and by whom they were signed. @throws NexusError NODE_FOLDER_INVALID */
export async function readAuditHeads(
  nodeFolder: string,
): Promise<{ readonly project: string; readonly key: string; readonly heads: readonly KeptAuditHead[] } | undefined> {
  const read = await readFile(nodeFolder);
  return read && { ...read.pin, heads: read.heads };
}

/** Says by which key a coordinator signs its audit log: told at joining, over the connection that the token vouched for. */
export async function pinAuditKey(nodeFolder: string, project: string, key: Uint8Array): Promise<void> {
  const known = await readFile(nodeFolder);
  // A node that joins the same coordinator again still knows what it has seen of it.
  if (known?.pin.project === project && known.pin.key === bytesToHex(key)) return;
  await writeDurably(join(nodeFolder, FILE), `${JSON.stringify({ project, key: bytesToHex(key) })}\n`, 0o644);
}

/** The heads of a node's folder; undefined where it joined a coordinator that had no audit log yet. @throws NexusError NODE_FOLDER_INVALID */
export async function folderAuditHeads(nodeFolder: string): Promise<AuditHeads | undefined> {
  const read = await readFile(nodeFolder);
  if (read === undefined) return undefined;
  const { pin } = read;
  let { heads } = read;
  /** The end of the file may be half a line: the next head is written with all before it. */
  let isTorn = false;

  return followAuditHeads({
    pin,
    last: heads.at(-1),
    async keep(kept) {
      const all = [...heads, kept];
      const thinned = thinHeads(all, MAX_HEADS);
      if (isTorn || thinned.length < all.length) {
        await writeDurably(join(nodeFolder, FILE), [pin, ...thinned].map((line) => `${JSON.stringify(line)}\n`).join(""), 0o644);
      } else {
        isTorn = true;
        await appendFile(join(nodeFolder, FILE), `${JSON.stringify(kept)}\n`, { flush: true });
      }
      isTorn = false;
      heads = thinned;
    },
  });
}

async function readFile(nodeFolder: string) {
  const path = join(nodeFolder, FILE);
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  try {
    const [first = "", ...lines] = text.split("\n");
    const pin = pinSchema.parse(JSON.parse(first));
    // What stands behind the last line break was cut by a loss of power, and never acted on.
    const whole = lines.slice(0, -1);
    if (!text.endsWith("\n")) await writeDurably(path, `${[first, ...whole].join("\n")}\n`, 0o644);
    return { pin, heads: whole.map((line) => headSchema.parse(JSON.parse(line))) as readonly z.output<typeof headSchema>[] };
  } catch (cause) {
    throw new NexusError("NODE_FOLDER_INVALID", `${path} cannot be read as what this node has seen of the audit log.`, {
      hint: "Restore it from a backup; without it the node would take any log for the first that it sees.",
      cause,
    });
  }
}
