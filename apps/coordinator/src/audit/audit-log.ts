import { type AuditAction, type AuditEvent, auditEventHash, type AuditHead, auditHeadBytes } from "@ciphernx/core/audit";
import { redactValue } from "@ciphernx/core/identity/redact";
import { auditEvents, type Store, type Transaction } from "@ciphernx/core/store";
import { and, asc, desc, eq, gt, gte, sql } from "@ciphernx/core/store/sql";
import { sign, type SigningKey } from "@ciphernx/crypto/keys";

/** How long a head is told again without a look at the log: many nodes ask at once. */
const HEAD_KEPT_MS = 500;

/** A decision, before it has its place in the log. */
export interface AuditNote {
  /** `owner`, `token ID`, `node ID`, `organisation NAME`, `coordinator`. */
  readonly actor: string;
  readonly action: AuditAction;
  /** Id of what it is about. */
  readonly subject: string;
  /** Plain JSON, never a secret. */
  readonly details?: AuditEvent["details"];
}

/** A head with the coordinator's signature, as nodes are given it. */
export interface SignedAuditHead extends AuditHead {
  readonly signature: Uint8Array<ArrayBuffer>;
}

/** Which events are wanted. */
export interface AuditQuery {
  readonly after: number;
  readonly limit: number;
  readonly action?: string | undefined;
  readonly actor?: string | undefined;
  readonly since?: Date | undefined;
}

/** The audit log of the project. */
export interface AuditLog {
  /** Does something and keeps the decision, both or neither. What is noted is undefined when nothing was decided. */
  decide<T>(act: (tx: Transaction) => Promise<{ readonly value: T; readonly note: AuditNote | undefined }>): Promise<T>;
  /** Keeps a decision within a transaction that makes it, as its last statement. */
  record(tx: Transaction, note: AuditNote): Promise<void>;
  /** Keeps a decision that changes nothing in the database; on the disk when it returns. */
  note(note: AuditNote): Promise<void>;
  events(query: AuditQuery): Promise<AuditEvent[]>;
  /** The head as it is; undefined while there is no event. */
  head(): Promise<SignedAuditHead | undefined>;
  /** By which heads are signed, 32 bytes. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
}

export function createAuditLog(store: Store, { projectId, key }: { readonly projectId: string; readonly key: SigningKey }): AuditLog {
  const ofProject = eq(auditEvents.projectId, projectId);
  /** The head as it was a moment ago; an event that was recorded within somebody else's transaction shows when it is looked up again. */
  let signed: { readonly head: Promise<SignedAuditHead | undefined>; readonly at: number } | undefined;

  async function record(tx: Transaction, { actor, action, subject, details = {} }: AuditNote): Promise<void> {
    // One writer at a time, to the end of its transaction: numbers have no gaps. Taken last, so that nobody waits for it with something in hand
    // that its holder wants.
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`audit:${projectId}`}, 0))`);
    const [before] = await tx
      .select({ number: auditEvents.number, hash: auditEvents.hash })
      .from(auditEvents)
      .where(ofProject)
      .orderBy(desc(auditEvents.number))
      .limit(1);
    const at = new Date();
    const safe = redactValue(details) as AuditEvent["details"];
    const content = { number: (before?.number ?? 0) + 1, actor, action, subject, details: safe, previous: before?.hash ?? "" };
    await tx.insert(auditEvents).values({ projectId, ...content, at, hash: auditEventHash({ ...content, at: at.toISOString() }) });
  }

  async function decide<T>(act: (tx: Transaction) => Promise<{ readonly value: T; readonly note: AuditNote | undefined }>): Promise<T> {
    try {
      return await store.db.transaction(async (tx) => {
        const { value, note } = await act(tx);
        if (note !== undefined) await record(tx, note);
        return value;
      });
    } finally {
      signed = undefined;
    }
  }

  async function signHead(): Promise<SignedAuditHead | undefined> {
    const [head] = await store.db
      .select({ number: auditEvents.number, hash: auditEvents.hash })
      .from(auditEvents)
      .where(ofProject)
      .orderBy(desc(auditEvents.number))
      .limit(1);
    return head && { ...head, signature: await sign(key, auditHeadBytes(projectId, head)) };
  }

  return {
    publicKey: key.publicKey,
    decide,
    record,
    note: (note) => decide(() => Promise.resolve({ value: undefined, note })),
    async events({ after, limit, action, actor, since }) {
      const rows = await store.db
        .select()
        .from(auditEvents)
        .where(
          and(
            ofProject,
            gt(auditEvents.number, after),
            action === undefined ? undefined : eq(auditEvents.action, action),
            actor === undefined ? undefined : eq(auditEvents.actor, actor),
            since === undefined ? undefined : gte(auditEvents.at, since),
          ),
        )
        .orderBy(asc(auditEvents.number))
        .limit(limit);
      return rows.map(({ number, at, actor: who, action: what, subject, details, previous, hash }) => ({
        ...{ number, at: at.toISOString(), actor: who, action: what, subject, previous, hash },
        details: details as AuditEvent["details"],
      }));
    },
    head() {
      if (signed === undefined || performance.now() - signed.at > HEAD_KEPT_MS) {
        const head = signHead();
        head.catch(() => (signed = undefined)); // whoever asked hears of it
        signed = { head, at: performance.now() };
      }
      return signed.head;
    },
  };
}
