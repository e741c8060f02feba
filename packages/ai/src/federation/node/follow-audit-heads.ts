/** What a node makes of the heads of the coordinator's audit log that it is shown, wherever it keeps them. @module */
import { type AuditHead, auditHeadBytes } from "@ciphernx/core/audit";
import { NexusError } from "@ciphernx/core/errors";
import { verify } from "@ciphernx/crypto/keys";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";

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

/** What {@link followAuditHeads} goes by, and where it keeps. */
export interface FollowedHeads {
  /** The project, and the key (hex) by which its coordinator signs heads. */
  readonly pin: { readonly project: string; readonly key: string };
  /** The head that was kept last. */
  readonly last: KeptAuditHead | undefined;
  /** Resolves when it is there to stay: only then it counts as seen. @param kept with the time that it was seen, ISO 8601 */
  keep(kept: KeptAuditHead & { readonly at: string }): Promise<void>;
}

/** Heads one after the other, each held against the one that was kept last. */
export function followAuditHeads({ pin, last: first, keep }: FollowedHeads): AuditHeads {
  let last: AuditHead | undefined = first;
  let turn: Promise<void> = Promise.resolve();

  async function take(shown: ShownHead | undefined): Promise<void> {
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
    await keep({ ...head, signature: bytesToHex(shown.signature), at: new Date().toISOString() });
    last = head;
  }

  return {
    take(shown) {
      const next = turn.then(() => take(shown));
      turn = next.catch(() => {}); // whoever called hears of it
      return next;
    },
  };
}

/** Beyond so many heads, every second one of the older half goes. */
export function thinHeads<Head>(heads: readonly Head[], most: number): readonly Head[] {
  return heads.length > most ? heads.filter((_, index) => index % 2 === 0 || index > most / 2) : heads;
}

function forked(message: string, shown: AuditHead, seen: AuditHead | undefined): NexusError {
  return new NexusError("AUDIT_FORKED", message, {
    details: { shown, ...(seen === undefined ? {} : { seen: { number: seen.number, hash: seen.hash } }) },
  });
}
