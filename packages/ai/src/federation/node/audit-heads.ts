/**
 * Heads of the coordinator's audit log that a node has seen, in `audit-heads.jsonl` of its folder: first the key by which they are signed, then
 * one a line. They are what `nexus audit verify --heads` holds the log against.
 *
 * @module
 */
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { type AuditHead, auditHeadBytes } from "@ciphernx/core/audit";
import { NexusError } from "@ciphernx/core/errors";
import { publicKeySchema } from "@ciphernx/core/roster";
import { sha256Schema } from "@ciphernx/core/spec";
import { verify } from "@ciphernx/crypto/keys";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { z } from "zod";
import { readIfThere, writeDurably } from "./durable-file.ts";

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
type Kept = z.output<typeof headSchema>;

/** A head that a node has kept, with the coordinator's signature in hex. */
export type KeptAuditHead = AuditHead & { readonly signature: string };

/** A head as it comes with sessions and tasks. */
export interface ShownHead {
  readonly number: bigint;
  readonly hash: string;
  readonly signature: Uint8Array;
}

/** What a node has seen of the audit log. */
export interface AuditHeads {
  /**
   * Keeps a head, if it goes on from those before.
   * @param shown undefined where none came: nothing, before there was one; afterwards a log that went back
   * @throws NexusError AUDIT_FORKED when it goes back, differs, or is not signed by the key that was pinned
   */
  take(shown: ShownHead | undefined): Promise<void>;
}

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
  let turn: Promise<void> = Promise.resolve();

  async function take(shown: ShownHead | undefined): Promise<void> {
    const last = heads.at(-1);
    if (shown === undefined) {
      if (last === undefined) return;
      throw new NexusError("AUDIT_FORKED", `The coordinator shows no audit log; this node has seen event ${last.number} of it.`, {
        details: { seen: last },
      });
    }
    const head = { number: Number(shown.number), hash: shown.hash };
    // The same again, as most tasks bring it.
    if (last?.number === head.number && last.hash === head.hash) return;
    if (!(await verify(hexToBytes(pin.key), auditHeadBytes(pin.project, head), shown.signature)))
      throw forked(`Event ${head.number} of the audit log is shown without the coordinator's signature.`, head, last);
    if (last !== undefined && head.number <= last.number) {
      throw head.number === last.number
        ? forked(`Event ${head.number} of the audit log is another than this node has seen before.`, head, last)
        : forked(`The audit log ends at event ${head.number}; this node has seen event ${last.number}.`, head, last);
    }
    const kept: Kept = { ...head, signature: bytesToHex(shown.signature), at: new Date().toISOString() };
    const all = [...heads, kept];
    const thinned = all.length > MAX_HEADS ? all.filter((_, index) => index % 2 === 0 || index > MAX_HEADS / 2) : all;
    if (isTorn || thinned.length < all.length) {
      await writeDurably(join(nodeFolder, FILE), [pin, ...thinned].map((line) => `${JSON.stringify(line)}\n`).join(""), 0o644);
    } else {
      isTorn = true;
      await appendFile(join(nodeFolder, FILE), `${JSON.stringify(kept)}\n`, { flush: true });
    }
    // Only what is on the disk counts as seen.
    isTorn = false;
    heads = thinned;
  }

  return {
    take(shown) {
      const next = turn.then(() => take(shown));
      turn = next.catch(() => {}); // whoever called hears of it
      return next;
    },
  };
}

function forked(message: string, shown: AuditHead, seen: AuditHead | undefined): NexusError {
  return new NexusError("AUDIT_FORKED", message, {
    details: { shown, ...(seen === undefined ? {} : { seen: { number: seen.number, hash: seen.hash } }) },
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
    return { pin, heads: whole.map((line) => headSchema.parse(JSON.parse(line))) as readonly Kept[] };
  } catch (cause) {
    throw new NexusError("NODE_FOLDER_INVALID", `${path} cannot be read as what this node has seen of the audit log.`, {
      hint: "Restore it from a backup; without it the node would take any log for the first that it sees.",
      cause,
    });
  }
}
