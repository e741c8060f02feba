import { NexusError } from "@ciphernx/core/errors";
import { readRoster, type Roster, type RosterAct, type RosterEntry, rosterEntryHash, signRosterEntry } from "@ciphernx/core/roster";
import { sign, type SigningKey } from "@ciphernx/crypto/keys";
import { RosterService } from "@ciphernx/protocol/proto";
import { readingBytes, type Transport } from "@ciphernx/protocol/wire";
import { createClient } from "@connectrpc/connect";

/** How often an entry is signed anew because another one came first. */
const ATTEMPTS = 20;

/** A roster at a coordinator: every entry that it shows is verified here. */
export interface RosterAccess {
  /** What came after `known`, verified; the same roster when nothing did. @throws NexusError ROSTER_NOT_FOUND, ROSTER_INVITATION_INVALID, ROSTER_INVALID */
  read(known?: Roster): Promise<Roster>;
  /** @throws NexusError ROSTER_MOVED, ROSTER_INVALID, NODE_NOT_FOUND */
  append(entry: RosterEntry): Promise<void>;
}

/** Reads and writes a roster over a transport that needs no token: a key shows who reads, one of `keys` that the roster knows. */
export function rosterAccess(
  { rpc }: Pick<Transport, "rpc">,
  { project, keys }: { readonly project: string; readonly keys: readonly SigningKey[] },
): RosterAccess {
  const client = createClient(RosterService, rpc);
  return {
    async read(known) {
      const after = known?.version ?? 0;
      const readWith = async (key: SigningKey): Promise<Roster> => {
        const atUnixMs = BigInt(Date.now());
        const signature = await sign(key, readingBytes({ projectId: project, atUnixMs, after }));
        const { entries } = await client.readRoster({ after, key: key.publicKey, atUnixMs, signature });
        return rosterOf(entries, known);
      };
      let refused: unknown;
      for (const key of keys) {
        try {
          return await readWith(key);
        } catch (error) {
          if (!(error instanceof NexusError) || error.code !== "ROSTER_INVITATION_INVALID") throw error;
          refused ??= error;
        }
      }
      throw refused;
    },
    append: async (entry) => void (await client.appendEntry({ entry: JSON.stringify(entry) })),
  };
}

/** Verifies entries as they come over the wire. @throws NexusError ROSTER_INVALID */
export async function rosterOf(entries: readonly string[], known?: Roster): Promise<Roster> {
  const parsed = entries.map((text): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      return undefined; // refused as no entry, with its number
    }
  });
  return parsed.length === 0 && known !== undefined ? known : readRoster(parsed, known);
}

/** What cannot be said is told before the coordinator hears of it, as a mistake of who says it. */
async function unlessRefused(reading: Promise<Roster>): Promise<Roster> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof NexusError)) throw error;
    throw new NexusError(error.code, error.message, { hint: "`nexus org list` shows who is on the roster, and who invited them.", cause: error });
  }
}

/**
 * Says something in a roster: signed for the head that is there, and anew when somebody else was quicker. One that was added and whose
 * answer was lost is found again.
 * @returns the roster with it
 */
export async function say(
  access: RosterAccess,
  { known, act, keys }: { readonly known: Roster; readonly act: RosterAct; readonly keys: readonly SigningKey[] },
): Promise<Roster> {
  let roster = known;
  for (let attempt = 1; ; attempt += 1) {
    const entry = await signRosterEntry(roster, act, { keys, at: new Date().toISOString() });
    const after = await unlessRefused(readRoster([entry], roster));
    try {
      await access.append(entry);
      return after;
    } catch (error) {
      if (!(error instanceof NexusError) || error.code !== "ROSTER_MOVED" || attempt === ATTEMPTS) throw error;
      roster = await access.read(roster);
      if (roster.hashes[entry.version - 1] === rosterEntryHash(entry)) return roster;
    }
  }
}
