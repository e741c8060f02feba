import { plural } from "../errors/plural.ts";
import { type AuditEvent, auditEventHash, type AuditHead } from "./event.ts";

/** Something that is wrong with an audit log. */
export interface AuditFinding {
  readonly kind: "changed" | "missing" | "unlinked" | "rewritten" | "truncated";
  /** The first event that it concerns, and the last. */
  readonly from: number;
  readonly to: number;
  /** In words. */
  readonly text: string;
}

/** A head that somebody kept, who is not the coordinator. */
export interface KeptHead extends AuditHead {
  /** Who: a node's name, a file. */
  readonly keeper: string;
}

/** What a look at an audit log came to. */
export interface AuditVerdict {
  readonly findings: readonly AuditFinding[];
  /** The last event up to which heads that others kept vouch for every event; 0 without heads. */
  readonly vouchedFor: number;
  readonly last: number;
}

/**
 * Looks at an audit log: whether each event is what its hash says and follows the one before, and whether it is what others saw. Whoever
 * owns the database can make a log anew that is sound in itself; the heads that nodes keep tell it from the one that they were shown.
 * @param events in the order of their numbers
 */
export function verifyAudit(events: readonly AuditEvent[], heads: readonly KeptHead[]): AuditVerdict {
  const findings: AuditFinding[] = [];
  const find = (kind: AuditFinding["kind"], from: number, to: number, text: string): void => void findings.push({ kind, from, to, text });
  const byNumber = new Map<number, AuditEvent>();
  let before: AuditEvent | undefined;
  for (const event of events) {
    const { number } = event;
    const expected = (before?.number ?? 0) + 1;
    if (number > expected) {
      const many = number - expected === 1 ? `Event ${expected} is` : `Events ${expected} to ${number - 1} are`;
      find("missing", expected, number - 1, `${many} missing.`);
    } else if (number < expected) {
      find("changed", number, number, `Event ${number} is there twice, or out of its order.`);
    }
    if (auditEventHash(event) !== event.hash) find("changed", number, number, `Event ${number} was changed: its hash is of another content.`);
    else if (number === expected && event.previous !== (before?.hash ?? "")) {
      find("unlinked", number - 1, number, `Event ${number} does not follow event ${number - 1} as it is: one of the two was replaced.`);
    }
    byNumber.set(number, event);
    before = event;
  }
  const last = before?.number ?? 0;
  const sorted = heads.toSorted((a, b) => a.number - b.number);
  let good = 0;
  for (const { number, hash, keeper } of sorted) {
    const event = byNumber.get(number);
    if (number > last) {
      const many = number - last === 1 ? `Event ${number} is` : `Events ${last + 1} to ${number} are`;
      find(
        "truncated",
        last + 1,
        number,
        `${many} cut off: ${keeper} has seen ${plural(number, "event")}, and there ${last === 1 ? "is" : "are"} ${last}.`,
      );
      break;
    }
    if (event === undefined) continue; // told as missing
    if (event.hash !== hash) {
      find(
        "rewritten",
        good + 1,
        number,
        `Events ${good + 1} to ${number} were rewritten, at least one of them: ${keeper} has seen another event ${number}.`,
      );
      break;
    }
    good = number;
  }
  // What is broken before a head that fits was found above; a head vouches for a log that is whole up to it.
  const broken = Math.min(...findings.map(({ from }) => from), Infinity);
  return { findings, vouchedFor: broken <= good ? Math.max(0, broken - 1) : good, last };
}
