import { NexusError } from "@ciphernx/core/errors";
import { readRoster, type Roster, type RosterAct, type RosterEntry, rosterEntrySchema } from "@ciphernx/core/roster";
import { isUniqueViolation, nodes, rosterEntries, type Store, type Transaction } from "@ciphernx/core/store";
import { and, asc, eq, gt, ne } from "@ciphernx/core/store/sql";
import type { AuditLog } from "./audit/audit-log.ts";
import { closeTasks } from "./nodes.ts";

/** How far the clock of an organisation may be from the coordinator's. */
const CLOCK_TOLERANCE_MS = 10 * 60_000;
/** Longest entry, in characters of JSON; the longest that there can be has a third of it. */
const MAX_ENTRY_CHARACTERS = 4_096;

/** The roster of a project as the coordinator keeps it: it checks entries as everybody does, and can make none. */
export interface ProjectRoster {
  /** Undefined while nobody has founded it. */
  read(): Promise<Roster | undefined>;
  /** Entries that it had when it was looked at last; 0 before, and without a roster. */
  readonly version: number;
  /** Entries after a version, as JSON. */
  entriesAfter(version: number): Promise<string[]>;
  /**
   * Takes an entry in: it is on the disk when this returns, with what follows from it for nodes.
   * @returns nodes that no longer take part
   * @throws NexusError ROSTER_INVALID, ROSTER_MOVED, ROSTER_NOT_FOUND, NODE_NOT_FOUND
   */
  append(text: string, options?: { readonly founds?: boolean }): Promise<readonly string[]>;
}

export function projectRoster(store: Store, projectId: string, audit: AuditLog): ProjectRoster {
  let known: Roster | undefined;

  async function entriesAfter(version: number): Promise<unknown[]> {
    const rows = await store.db
      .select({ entry: rosterEntries.entry })
      .from(rosterEntries)
      .where(and(eq(rosterEntries.projectId, projectId), gt(rosterEntries.version, version)))
      .orderBy(asc(rosterEntries.version));
    return rows.map(({ entry }) => entry);
  }

  async function read(): Promise<Roster | undefined> {
    const before = known;
    const added = await entriesAfter(before?.version ?? 0);
    if (added.length === 0) return before;
    const roster = await readRoster(added, before);
    // Two that read at once find the same; the longer one stays.
    if (roster.version > (known?.version ?? 0)) known = roster;
    return roster;
  }

  return {
    read,
    get version() {
      return known?.version ?? 0;
    },
    entriesAfter: async (version) => (await entriesAfter(version)).map((entry) => JSON.stringify(entry)),
    async append(text, { founds = false } = {}) {
      const entry = parseEntry(text);
      const before = await read();
      if (!founds && before === undefined) throw new NexusError("ROSTER_NOT_FOUND", `The project ${projectId} has no roster.`);
      if (entry.version !== (before?.version ?? 0) + 1 || entry.previous !== before?.hash) {
        throw new NexusError("ROSTER_MOVED", `The roster has ${before?.version ?? 0} entries; entry ${entry.version} does not follow the last.`);
      }
      if (Math.abs(Date.parse(entry.at) - Date.now()) > CLOCK_TOLERANCE_MS) {
        throw new NexusError(
          "ROSTER_INVALID",
          `Entry ${entry.version} of the roster says it was made at ${entry.at}; it is ${new Date().toISOString()}.`,
          {
            hint: "Set the clock of the machine that signs, then run the command again.",
          },
        );
      }
      if (entry.act.kind === "founded" && entry.act.project !== projectId)
        throw new NexusError("ROSTER_INVALID", `The entry begins the roster of the project ${entry.act.project}; this one is ${projectId}.`);
      const after = await readRoster([entry], before);
      try {
        const removed = await audit.decide(async (tx) => {
          await tx.insert(rosterEntries).values({ projectId, version: entry.version, entry });
          const gone = await followed(tx, projectId, entry.act, { before, after });
          const { kind, organisation } = entry.act;
          const actor = `organisation ${"by" in entry.act ? entry.act.by : organisation}`;
          const details = { kind, organisation, hash: after.hash, ...("node" in entry.act ? { node: entry.act.node } : {}) };
          return { value: gone, note: { actor, action: "roster-entry", subject: String(entry.version), details } };
        });
        if (after.version > (known?.version ?? 0)) known = after;
        return removed;
      } catch (error) {
        if (!isUniqueViolation(error)) throw error;
        throw new NexusError("ROSTER_MOVED", `Somebody else added entry ${entry.version} of the roster at the same time.`, { cause: error });
      }
    },
  };
}

function parseEntry(text: string): RosterEntry {
  const refused = (cause?: unknown): NexusError => new NexusError("ROSTER_INVALID", "What came is no entry of a roster.", { cause });
  if (text.length > MAX_ENTRY_CHARACTERS) throw refused();
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw refused(cause);
  }
  const parsed = rosterEntrySchema.safeParse(document);
  if (!parsed.success) throw refused(parsed.error);
  return parsed.data;
}

/** What an entry means for the nodes that have joined: one that its organisation adds is approved, one that it removes is sent away. */
async function followed(
  tx: Transaction,
  projectId: string,
  act: RosterAct,
  { before, after }: { readonly before: Roster | undefined; readonly after: Roster },
): Promise<readonly string[]> {
  if (act.kind === "node-added") {
    const [row] = await tx
      .update(nodes)
      .set({ status: "approved" })
      .where(
        and(
          ...[
            eq(nodes.projectId, projectId),
            eq(nodes.name, act.node),
            eq(nodes.publicKey, Buffer.from(act.key, "hex")),
            ne(nodes.status, "removed"),
          ],
        ),
      )
      .returning({ id: nodes.id });
    if (row === undefined) throw new NexusError("NODE_NOT_FOUND", `No node "${act.node}" with the key ${act.key} has joined.`);
    return [];
  }
  const gone = [...(before?.nodes.values() ?? [])].filter(({ name }) => !after.nodes.has(name));
  const ids: string[] = [];
  for (const { name, key } of gone) {
    const [row] = await tx
      .update(nodes)
      .set({ status: "removed" })
      .where(and(eq(nodes.projectId, projectId), eq(nodes.name, name), eq(nodes.publicKey, Buffer.from(key, "hex")), ne(nodes.status, "removed")))
      .returning({ id: nodes.id });
    if (row === undefined) continue; // the owner of the project sent it away before
    await closeTasks(tx, row.id);
    ids.push(row.id);
  }
  return ids;
}
